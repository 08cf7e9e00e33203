// A shrink over very many windows: from the end, in batches that each are a truncation to a size on the way. Meanwhile
// the inode is held, and on to the end of the operation: others on it wait. What waits in memory is flushed first, also
// what lies above the new size: were it only dropped, a crash on the way would bring back what a promised write had
// covered.

import { keys } from '../kv/keys.ts';
import { attempt } from './attempt.ts';
import { allocated, EMPTY_MAP } from './chunk-map.ts';
import { attributesWithDirty } from './dirty-file.ts';
import type { InodeRecord } from './inode-record.ts';
import type { OperationContext } from './operation.ts';
import type { Records } from './records.ts';
import { ShrinkUnderWay } from './shrink-under-way.ts';
import { Turn } from './turn.ts';

/** Windows that one batch gives up. */
export const WINDOWS_A_BATCH = 64;

/** Begins the steps to `size`; the inode is held from here on. */
export function shrinkBySteps(context: OperationContext, record: InodeRecord, size: number): ShrinkUnderWay {
  const { tree } = context.records;
  const before = attributesWithDirty(tree, record);
  return new ShrinkUnderWay(tree, before, takeSteps(context, record.ino, size));
}

async function takeSteps(context: OperationContext, ino: number, size: number): Promise<void> {
  const { records, clock, writeBack } = context;
  const { store, tree } = records;
  await writeBack.flushUntil(records, ino, Number.POSITIVE_INFINITY);
  let span = WINDOWS_A_BATCH;
  for (;;) {
    // The scan below sees what is applied, so everything staged has to be.
    await store.durable(store.ticket);
    const record = await attempt(() => records.inode(ino));
    if (!record || tree.dropped) return;
    const windowBytes = 2 ** record.windowLog2;
    const first = Math.floor(size / windowBytes) + 1;
    const end = Math.ceil(record.size / windowBytes);
    if (end - first < WINDOWS_A_BATCH) return;
    const from = Math.max(first, end - span);
    const windows = await windowsOf(records, record.dataId, from, end);
    if (windows.length > WINDOWS_A_BATCH) {
      span = Math.max(WINDOWS_A_BATCH, Math.floor(span / 2));
      continue;
    }
    await attempt(() => {
      if (tree.dropped) return;
      const turn = new Turn(records, clock.now());
      const bytes = dropWindows(turn, record.dataId, windows);
      turn.update(turn.inode(record), {
        size: from * windowBytes,
        allocated: record.allocated - bytes,
        mtimeSeconds: turn.now.seconds,
        mtimeNanoseconds: turn.now.nanoseconds,
      });
      turn.count(-bytes, 0);
      turn.commit();
    });
    // A sparse file may have very many windows and hardly any chunk.
    if (windows.length < WINDOWS_A_BATCH / 2) span *= 4;
  }
}

function dropWindows(turn: Turn, dataId: number, windows: readonly number[]): number {
  let bytes = 0;
  for (const window of windows) {
    const map = turn.chunk(dataId, window);
    if (!map) continue;
    bytes += allocated(map);
    turn.putChunk(dataId, window, EMPTY_MAP);
  }
  return bytes;
}

/** The windows from `from` up to `end` that have chunks; one more than a batch takes when there are more. */
async function windowsOf(records: Records, dataId: number, from: number, end: number): Promise<number[]> {
  const { id } = records.tree;
  const range = { gte: keys.chunk.key(id, dataId, from), lt: keys.chunk.key(id, dataId, end) };
  const rows = await records.page(range, WINDOWS_A_BATCH + 1);
  return rows.map(([key]) => keys.chunk.parse(key).window);
}
