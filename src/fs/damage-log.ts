// Says in the log that file data cannot be read. A client reads a damaged file again and again, each time a block at a
// time: each segment is named once a minute.

import type { SegmentReadError } from '../kv/segment-store.ts';
import { leftOutText, RareLines } from '../rare-lines.ts';
import type { Store } from './store.ts';
import type { DamageError } from './versioned-value.ts';

const INTERVAL_MS = 60_000;
const SEGMENTS_MAX = 1024;

/** By store; it goes with it. */
const LINES = new WeakMap<Store, RareLines<number>>();

export interface Unreadable {
  readonly segment: number;
  /** In the segment. */
  readonly from: number;
  readonly to: number;
}

export function logDamage(store: Store, unreadable: Unreadable, error: DamageError | SegmentReadError): void {
  const { clock, log } = store.parts;
  let lines = LINES.get(store);
  if (!lines) {
    lines = new RareLines({ clock, intervalMs: INTERVAL_MS, subjectsMax: SEGMENTS_MAX });
    LINES.set(store, lines);
  }
  const { segment, from, to } = unreadable;
  const leftOut = lines.due(segment);
  if (leftOut === undefined) return;
  // What is wrong with the segment is in the sentence; a stack would only say that somebody has read it.
  const sentence = `File data cannot be read: its segment is damaged (${error.message})`;
  log.error({ segment, from, to, leftOut }, `${sentence}${leftOutText(leftOut)}`);
}
