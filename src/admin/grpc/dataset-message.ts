// Datasets and properties as messages.

import type { DatasetInfo, Property } from '../../datasets/datasets.ts';
import type { DatasetMessage, PropertyMessage } from './admin-messages.ts';

export function datasetMessage({ parentId, parentUuid, properties, ...info }: DatasetInfo): DatasetMessage {
  return {
    ...info,
    // A medium that does not tell its free space has no bound.
    availableBytes: Math.min(info.availableBytes, Number.MAX_SAFE_INTEGER),
    ...(parentId === null ? {} : { parentId }),
    ...(parentUuid === null ? {} : { parentUuid }),
    properties: properties.map(propertyMessage),
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
