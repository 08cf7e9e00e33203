// Says in the log that file data cannot be read. A client reads a damaged file again and again, each time a block at a
// time: each segment is named once a minute.

import type { Clock } from '../clock.ts';
import type { SegmentReadError } from '../kv/segment-store.ts';
import { leftOutText, RareLines } from '../rare-lines.ts';
import type { Log } from './store.ts';
import type { DamageError } from './versioned-value.ts';

const INTERVAL_MS = 60_000;
const SEGMENTS_MAX = 1024;

export interface Unreadable {
  readonly segment: number;
  /** In the segment. */
  readonly from: number;
  readonly to: number;
}

export class DamageLog {
  private readonly log: Log;
  private readonly lines: RareLines<number>;

  constructor({ log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.log = log;
    this.lines = new RareLines({ clock, intervalMs: INTERVAL_MS, subjectsMax: SEGMENTS_MAX });
  }

  unreadable({ segment, from, to }: Unreadable, error: DamageError | SegmentReadError): void {
    const leftOut = this.lines.due(segment);
    if (leftOut === undefined) return;
    // What is wrong with the segment is in the sentence; a stack would only say that somebody has read it.
    const sentence = `File data cannot be read: its segment is damaged (${error.message})`;
    this.log.error({ segment, from, to, leftOut }, `${sentence}${leftOutText(leftOut)}`);
  }
}
