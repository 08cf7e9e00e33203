// A map that is not there is a hole, or a loss. Where an inode counts every byte as allocated the difference shows at
// once; of a sparse file it shows in the sum of what its maps hold. So the first time that a read of a sparse file meets
// a window without a map, all of its maps are summed up, as of one moment; from then on this run trusts the file.

import { keys } from '../kv/keys.ts';
import { MetaReadError } from '../kv/meta-store.ts';
import { attempt } from './attempt.ts';
import { decodeChunk } from './chunk-codec.ts';
import { allocated } from './chunk-map.ts';
import { FsError } from './fs-error.ts';
import { decodeInode } from './inode-codec.ts';
import type { InodeRecord } from './inode-record.ts';
import { keyRange } from './key-range.ts';
import type { Records } from './records.ts';
import { shownRows } from './shown-rows.ts';
import { DamageError } from './versioned-value.ts';
import { shown } from './versions.ts';

/** The sum over more than this would take a reader too long; `cairn check` does it for all. */
const ALLOCATED_BYTES_MAX = 64 * 2 ** 30;

/** Whether holes of the file may be believed already. */
export function areMapsTrusted({ tree }: Records, record: InodeRecord): boolean {
  if (record.allocated === 0 || record.dataId === 0 || record.allocated > ALLOCATED_BYTES_MAX) return true;
  return tree.trustedMaps.get(record.dataId) !== undefined;
}

/** @throws FsError `EIO` when maps of the file are missing */
export async function checkMaps(records: Records, { ino, dataId }: InodeRecord): Promise<void> {
  const { store, tree } = records;
  let wanted: number;
  let found = 0;
  try {
    const applied = await attempt(() => appliedMaps(records, ino, dataId));
    // Given up, or all of it still staged: then it comes from memory, not from storage.
    wanted = applied.record?.dataId === dataId ? applied.record.allocated : 0;
    for await (const [, map] of applied.maps) found += allocated(decodeChunk(map));
  } catch (error) {
    if (!(error instanceof DamageError) && !(error instanceof MetaReadError)) throw error;
    throw new FsError('EIO', error.message, { cause: error });
  }
  if (found < wanted) {
    const message = `${wanted - found} of ${wanted} bytes of inode ${ino} are missing from the store`;
    store.parts.log.error({ tree: tree.id, ino, dataId }, message);
    throw new FsError('EIO', message);
  }
  tree.trustedMaps.set(dataId, true);
}

/** In one turn: what is applied of the inode, and a view of its maps as of the same moment. */
function appliedMaps({ tree, versions: { applied } }: Records, ino: number, dataId: number) {
  const value = shown(applied, keys.inode.key(tree.id, ino), 'inode');
  const maps = shownRows(applied, keyRange(keys.chunk.range(tree.id, dataId)));
  return { record: value && decodeInode(ino, value), maps };
}
