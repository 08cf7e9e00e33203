import { describe, expect, it } from 'vitest';
import { leftOutText, RareLines } from '../src/rare-lines.ts';
import { ManualClock } from './nfs/manual-clock.ts';

describe('a line that is repeated', () => {
  it('is due once an interval for each subject, with how many were left out', () => {
    const clock = new ManualClock();
    const lines = new RareLines<string>({ clock, intervalMs: 1000, subjectsMax: 10 });
    expect([lines.due('a'), lines.due('b'), lines.due('a'), lines.due('a')]).toEqual([
      0,
      0,
      undefined,
      undefined,
    ]);
    clock.advance(1000);
    expect([lines.due('a'), lines.due('b')]).toEqual([2, 0]);
    expect(leftOutText(2)).toBe(' (2 more since the last line about it)');
    expect(leftOutText(0)).toBe('');
  });

  it('is left out where too many subjects were said in the interval, and the oldest make room', () => {
    const clock = new ManualClock();
    const lines = new RareLines<number>({ clock, intervalMs: 1000, subjectsMax: 2 });
    expect([lines.due(1), lines.due(2), lines.due(3)]).toEqual([0, 0, undefined]);
    clock.advance(1000);
    expect([lines.due(2), lines.due(3), lines.due(1)]).toEqual([0, 0, undefined]);
  });
});
