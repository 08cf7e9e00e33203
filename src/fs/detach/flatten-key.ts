// Flattening one key of a clone (DESIGN 3.2, Detach): what its fork shows goes underneath the oldest version that the
// clone has, as a version born in generation 0. By the commit worker, against the batch so far; doing it again changes
// nothing.
//
//   the clone has nothing     the version is live
//   it has versions           it dies where the oldest is born, if a kept generation lies before that; else nothing shows it
//   only its data died        likewise, with that death; and the key is noted there, as a drain does

import { keys } from '../../kv/keys.ts';
import type { Batch } from '../batch.ts';
import { CHANGED_VALUE } from '../changed-note.ts';
import { type FlatVersion, VersionedKind } from '../item.ts';
import { KEY_HEAD_BYTES } from '../key-history.ts';
import { keyId } from '../key-id.ts';
import { accountVisit } from '../space-accounting.ts';
import type { Tree } from '../tree.ts';
import { versionsOf } from '../visit.ts';

const BIRTH = 0;

export function flattenKey(batch: Batch, tree: Tree, version: FlatVersion): void {
  const { kind, key, id, value } = version;
  const before = versionsOf(batch, version);
  const oldest = before[0]?.birth ?? deathOf(batch, tree, version);
  if (oldest === undefined) {
    batch.putVersion(id, key, value, BIRTH);
  } else {
    const firstKept = batch.generations(tree).nextKept(BIRTH - 1);
    if (firstKept === undefined || firstKept >= oldest) return;
    batch.putHistory(tree, version, oldest, { value, birth: BIRTH });
    if (before.length === 0) {
      const note = keys.changed.key(tree.id, oldest, kind, key.subarray(KEY_HEAD_BYTES));
      batch.put(keyId(note), note, CHANGED_VALUE);
    }
  }
  if (kind === VersionedKind.chunk) accountVisit(batch, tree, before, versionsOf(batch, version));
}

function deathOf(batch: Batch, tree: Tree, { kind, key }: FlatVersion): number | undefined {
  return kind === VersionedKind.chunk ? batch.deathOf(tree, keys.chunk.parse(key).dataId) : undefined;
}
