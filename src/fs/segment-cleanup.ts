// Deletes segment files that hold nothing: those whose last live frame is gone, and those that no batch ever named.

import { PLAIN_ITEM } from './item.ts';
import type { SegmentLog } from './segment-log.ts';
import type { Store } from './store.ts';

/**
 * Segments without a live frame. Their rows go first; the files follow when that is durable and no reader is left.
 * @returns how many files went
 */
export async function deleteDeadSegments(
  store: Store,
  segmentLog: SegmentLog,
  isStopped: () => boolean,
): Promise<number> {
  for (const [segment, record] of store.live.segments) {
    if (record.liveCount > 0 || segmentLog.isBusy(segment)) continue;
    store.stage({ ...PLAIN_ITEM, action: { kind: 'forget-segment', segment }, rows: [] });
  }
  await store.durable(store.ticket);
  return deleteFiles(store, segmentLog, isStopped);
}

/** At start, before anything is appended: what a crash left behind without a name. */
export function deleteUnnamedSegments(store: Store, segmentLog: SegmentLog): Promise<number> {
  return deleteFiles(store, segmentLog, () => false);
}

async function deleteFiles(store: Store, segmentLog: SegmentLog, isStopped: () => boolean): Promise<number> {
  const { segments } = store.parts;
  let deleted = 0;
  for (const segment of (await segments.list()).keys()) {
    if (isStopped()) return deleted;
    if (store.live.segments.has(segment) || segmentLog.isBusy(segment) || store.live.isPinned(segment))
      continue;
    await segments.delete(segment);
    deleted++;
  }
  return deleted;
}
