// What the log says of something that is repeated without end: once in a while for each subject, with how many were left
// out since. A full log helps nobody, and neither does one that does not say that it goes on.

import type { Clock } from './clock.ts';

export interface RareLinesOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** More subjects than this in one interval are left out without being counted. */
  readonly subjectsMax: number;
}

interface Said {
  readonly saidMs: number;
  leftOut: number;
}

export class RareLines<Subject> {
  private readonly options: RareLinesOptions;
  /** In the order in which they were said last. */
  private readonly said = new Map<Subject, Said>();

  constructor(options: RareLinesOptions) {
    this.options = options;
  }

  /** How many were left out since the last line about it, where one is due now; else undefined. */
  due(subject: Subject): number | undefined {
    const { clock, intervalMs, subjectsMax } = this.options;
    const nowMs = clock.elapsedMs();
    const isYoung = ({ saidMs }: Said) => nowMs - saidMs < intervalMs;
    const last = this.said.get(subject);
    if (last && isYoung(last)) {
      last.leftOut++;
      return undefined;
    }
    this.said.delete(subject);
    if (this.said.size >= subjectsMax) {
      const [oldest, said] = this.said.entries().next().value!;
      if (isYoung(said)) return undefined;
      this.said.delete(oldest);
    }
    this.said.set(subject, { saidMs: nowMs, leftOut: 0 });
    return last?.leftOut ?? 0;
  }

  /** Whatever comes next is worth a line. */
  clear(): void {
    this.said.clear();
  }
}

/** For the end of a line. */
export function leftOutText(leftOut: number): string {
  return leftOut === 0 ? '' : ` (${leftOut} more since the last line about it)`;
}
