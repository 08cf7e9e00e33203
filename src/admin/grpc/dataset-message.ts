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

export function snapshotMessage({
  datasetId,
  referencedInodes,
  expiresAt,
  properties,
  ...info
}: SnapshotInfo): DatasetMessage {
  return {
    ...info,
    parentId: datasetId,
    rootInode: 1,
    isReadonly: true,
    isSnapshot: true,
    flags: 0,
    kind: 'filesystem',
    isDefault: false,
    usedInodes: referencedInodes,
    availableBytes: 0,
    quota: 0,
    refquota: 0,
    reservation: 0,
    properties: Object.entries(properties).map(([name, value]) =>
      propertyMessage({ name, value, source: 'local' }),
    ),
    liveBytes: 0,
    snapshotBytes: 0,
    cloneBytes: 0,
    storedBytes: 0,
    pendingBytes: 0,
    origin: '',
    ...(expiresAt === null ? {} : { expiresAt }),
  };
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
