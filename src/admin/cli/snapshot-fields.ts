// A snapshot as JSON and as `cairn dataset info` shows it: the keys of a dataset as far as a snapshot has them, then its
// own. Keys are stable.

import type { DatasetMessage } from '../grpc/admin-messages.ts';
import { alignedFields, sourceText } from './dataset-fields.ts';
import { humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';

export function snapshotFields(snapshot: DatasetMessage) {
  return {
    id: snapshot.id,
    name: snapshot.name,
    uuid: snapshot.uuid,
    parent_id: snapshot.parentId ?? null,
    parent_uuid: snapshot.parentUuid ?? null,
    root_inode: snapshot.rootInode,
    created_at: snapshot.createdAt,
    is_readonly: snapshot.isReadonly,
    is_snapshot: snapshot.isSnapshot,
    generation: snapshot.generation,
    flags: snapshot.flags,
    kind: snapshot.kind,
    used_bytes: snapshot.usedBytes,
    referenced_bytes: snapshot.referencedBytes,
    referenced_inodes: snapshot.usedInodes,
    clones: snapshot.clones,
    holds: snapshot.holds,
    expires_at: snapshot.expiresAt ?? null,
    properties: Object.fromEntries(
      snapshot.properties.map((property) => [
        property.name,
        { value: property.value, source: sourceText(property) },
      ]),
    ),
  };
}

export function snapshotInfoText(snapshot: DatasetMessage, exact: boolean): string {
  const { properties: _, clones, holds, ...fields } = snapshotFields(snapshot);
  const time = (seconds: number): string => (exact ? String(seconds) : humanTime(seconds));
  const shown = {
    ...fields,
    created_at: time(fields.created_at),
    used_bytes: exact ? fields.used_bytes : humanSize(fields.used_bytes),
    expires_at: fields.expires_at === null ? '-' : time(fields.expires_at),
    clones: clones.join(',') || '-',
    holds: holds.join(',') || '-',
  };
  const users = snapshot.properties.map(({ name, value }) => [name, value] as const);
  return alignedFields([
    ...Object.entries(shown).map(([name, value]) => [name, String(value ?? '-')] as const),
    ...users,
  ]);
}
