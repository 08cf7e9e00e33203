// A dataset as JSON and as `cairn dataset info` shows it: the published fields first, then ours. Keys are stable.

import type { DatasetMessage, PropertyMessage } from '../grpc/admin-messages.ts';
import { humanLimit, humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';
import { visibleText } from './visible-text.ts';

export function datasetFields(dataset: DatasetMessage) {
  return {
    id: dataset.id,
    name: dataset.name,
    uuid: dataset.uuid,
    parent_id: dataset.parentId ?? null,
    parent_uuid: dataset.parentUuid ?? null,
    root_inode: dataset.rootInode,
    created_at: dataset.createdAt,
    is_readonly: dataset.isReadonly,
    is_snapshot: dataset.isSnapshot,
    generation: dataset.generation,
    flags: dataset.flags,
    kind: dataset.kind,
    is_default: dataset.isDefault,
    used_bytes: dataset.usedBytes,
    used_inodes: dataset.usedInodes,
    referenced_bytes: dataset.referencedBytes,
    live_bytes: dataset.liveBytes,
    snapshot_bytes: dataset.snapshotBytes,
    clone_bytes: dataset.cloneBytes,
    stored_bytes: dataset.storedBytes,
    pending_bytes: dataset.pendingBytes,
    available: dataset.availableBytes,
    quota: dataset.quota,
    refquota: dataset.refquota,
    reservation: dataset.reservation,
    origin: dataset.origin || null,
    expires_at: dataset.expiresAt ?? null,
    properties: Object.fromEntries(
      dataset.properties.map((property) => [
        property.name,
        { value: property.value, source: sourceText(property) },
      ]),
    ),
  };
}

type Fields = ReturnType<typeof datasetFields>;

/** Sizes other than what is used, which is exact always, and times in the words of people. */
const HUMAN: { readonly [Name in keyof Fields]?: (value: Fields[Name]) => string } = {
  created_at: humanTime,
  available: humanSize,
  expires_at: (at) => (at === null ? '-' : humanTime(at)),
  quota: humanLimit,
  refquota: humanLimit,
  reservation: humanLimit,
};

export function datasetInfoText(dataset: DatasetMessage, exact: boolean): string {
  const { properties: _, ...fields } = datasetFields(dataset);
  const shown = Object.entries(fields).map(([name, value]): [string, string] => {
    const human = HUMAN[name as keyof Fields] as ((value: unknown) => string) | undefined;
    return [name, value === null ? '-' : human && !exact ? human(value) : String(value)];
  });
  const users = dataset.properties
    .filter((property) => property.name.includes(':'))
    .map((property): [string, string] => [property.name, property.value]);
  return alignedFields([...shown, ...users]);
}

/** `name:  value` a line, the values below each other. */
export function alignedFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 3;
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width)}${visibleText(value)}\n`).join('');
}

/** As `zfs get` has it. */
export function sourceText({ source, inheritedFrom }: PropertyMessage): string {
  if (source === 'PROPERTY_SOURCE_INHERITED') return `inherited from ${inheritedFrom}`;
  if (source === 'PROPERTY_SOURCE_LOCAL') return 'local';
  return source === 'PROPERTY_SOURCE_DEFAULT' ? 'default' : '-';
}
