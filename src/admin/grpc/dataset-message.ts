// Datasets and properties as messages.

import type { DatasetInfo, Property } from '../../datasets/datasets.ts';
import type { SnapshotInfo } from '../../snapshots/snapshots.ts';
import type { DatasetMessage, PropertyMessage } from './admin-messages.ts';

export function datasetMessage({
  parentId,
  parentUuid,
  properties,
  origin,
  expiresAt,
  ...info
}: DatasetInfo): DatasetMessage {
  return {
    ...info,
    // A medium that does not tell its free space has no bound.
    availableBytes: Math.min(info.availableBytes, Number.MAX_SAFE_INTEGER),
    ...(parentId === null ? {} : { parentId }),
    ...(parentUuid === null ? {} : { parentUuid }),
    properties: properties.map(propertyMessage),
    origin: origin ?? '',
    ...(expiresAt === null ? {} : { expiresAt }),
    clones: [],
    holds: [],
  };
}

/**
 * Lists have thousands of them. So field by field, because objects made by spreading cost several times as much; and
 * without the fields that a snapshot has not, which whoever decodes it finds as 0 or empty.
 */
export function snapshotMessage(info: SnapshotInfo): DatasetMessage {
  const message: Partial<DatasetMessage> = {
    id: info.id,
    name: info.name,
    uuid: info.uuid,
    parentId: info.datasetId,
    parentUuid: info.parentUuid,
    rootInode: 1,
    createdAt: info.createdAt,
    isReadonly: true,
    isSnapshot: true,
    generation: info.generation,
    kind: 'filesystem',
    usedBytes: info.usedBytes,
    usedInodes: info.referencedInodes,
    properties: Object.entries(info.properties).map(([name, value]) =>
      propertyMessage({ name, value, source: 'local' }),
    ),
    referencedBytes: info.referencedBytes,
    ...(info.expiresAt !== null && { expiresAt: info.expiresAt }),
    clones: info.clones,
    holds: info.holds,
  };
  return message as DatasetMessage;
}

export function propertyMessage({ name, value, source }: Property): PropertyMessage {
  if (typeof source === 'object') {
    return { name, value, source: 'PROPERTY_SOURCE_INHERITED', inheritedFrom: source.inheritedFrom };
  }
  return { name, value, source: SOURCES[source], inheritedFrom: '' };
}

const SOURCES = {
  none: 'PROPERTY_SOURCE_NONE',
  default: 'PROPERTY_SOURCE_DEFAULT',
  local: 'PROPERTY_SOURCE_LOCAL',
} as const;
