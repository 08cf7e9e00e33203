// Giving up file data: SETATTR of the size, and the end of a file.
//
// Emptying a file is O(1) however large it is: its data id goes to a TOMBSTONE, drained in the background, and the next
// write gets a new one. A file of few windows loses them in the same batch. Otherwise a shrink goes from the end, each
// step a batch with its own size, so that a crash leaves the file at a size that it had on the way.

import { keys } from '../kv/keys.ts';
import { Wait } from './attempt.ts';
import { allocated, cut, EMPTY_MAP } from './chunk-map.ts';
import type { InodeRecord } from './inode-record.ts';
import type { OperationContext } from './operation.ts';
import { shrinkBySteps, WINDOWS_A_BATCH } from './shrink.ts';
import { TOMBSTONE_VALUE } from './tombstone.ts';
import type { Turn } from './turn.ts';

/**
 * The fields that change when a file gets another size.
 * @throws ShrinkUnderWay where it goes over many windows: to be called again behind its steps; Wait while a generation
 *   is about to be taken, which would show a size on the way
 */
export function resize(
  context: OperationContext,
  turn: Turn,
  record: InodeRecord,
  size: number,
): Partial<InodeRecord> {
  dropDirty(turn, record, size);
  if (size >= record.size || record.dataId === 0) return { size };
  if (size === 0) return { size, allocated: 0, dataId: releaseWindows(context, turn, record) };
  const windowBytes = 2 ** record.windowLog2;
  const windows = Math.ceil(record.size / windowBytes) - Math.floor(size / windowBytes);
  if (windows > WINDOWS_A_BATCH) {
    for (const pause of turn.tree.pauses) throw new Wait(pause);
    throw shrinkBySteps(context, record, size);
  }
  return { size, allocated: record.allocated - cutWindows(turn, record, size) };
}

/** The end of a file: its data goes with its inode. */
export function releaseData(context: OperationContext, turn: Turn, record: InodeRecord): void {
  dropDirty(turn, record, 0);
  if (record.dataId > 0) releaseWindows(context, turn, record);
}

/** Cuts what the maps have at and past `size`, counts it, and returns how many bytes that were. */
function cutWindows(turn: Turn, record: InodeRecord, size: number): number {
  const windowBytes = 2 ** record.windowLog2;
  let bytes = 0;
  for (let window = Math.floor(size / windowBytes); window * windowBytes < record.size; window++) {
    const map = turn.chunk(record.dataId, window);
    if (!map) continue;
    const rest = cut(map, Math.max(0, size - window * windowBytes));
    if (rest === map) continue;
    turn.putChunk(record.dataId, window, rest);
    bytes += allocated(map) - allocated(rest);
  }
  turn.count(-bytes, 0);
  return bytes;
}

/** @returns the data id that the inode has from now on: none */
function releaseWindows(context: OperationContext, turn: Turn, record: InodeRecord): number {
  const windows = Math.ceil(record.size / 2 ** record.windowLog2);
  if (windows <= WINDOWS_AT_ONCE) {
    for (let window = 0; window < windows; window++) {
      if (turn.chunk(record.dataId, window)) turn.putChunk(record.dataId, window, EMPTY_MAP);
    }
  } else {
    const { tree } = turn;
    turn.putRow({ key: keys.tombstone.key(tree.id, record.dataId, tree.accept), value: TOMBSTONE_VALUE });
    turn.afterwardsDo(() => {
      tree.undrained.add(record.dataId);
      context.reclaimer.wake();
    });
  }
  turn.count(-record.allocated, 0);
  return 0;
}

/** A file of so few windows loses them at once. */
const WINDOWS_AT_ONCE = 4;

export function dropDirty(turn: Turn, record: InodeRecord, size: number): void {
  const file = turn.tree.dirty.get(record.ino);
  // To look at all that waits takes as long as there is of it.
  if (!file || size >= file.end) return;
  const growth = file.growthWithout(record, size, Number.POSITIVE_INFINITY);
  turn.afterwardsDo(() => file.cut(size, Number.POSITIVE_INFINITY, growth));
}
