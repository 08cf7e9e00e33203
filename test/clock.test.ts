import { describe, expect, it } from 'vitest';
import { fineWallClock, systemClock } from '../src/clock.ts';

describe('the wall clock', () => {
  const machine = { wallMs: 1_000_000, elapsedMs: 0 };
  const pass = (ms: number) => {
    machine.wallMs += ms;
    machine.elapsedMs += ms;
  };
  const clock = () =>
    fineWallClock(
      () => Math.floor(machine.wallMs),
      () => machine.elapsedMs,
      machine.wallMs - machine.elapsedMs,
    );

  it('goes on between the milliseconds of the system', () => {
    const now = clock();
    const before = now();
    pass(0.25);
    expect(now() - before).toBeCloseTo(0.25);
  });

  it.each([36_000_000, -36_000_000, 5])('follows the system when it is set by %i ms', (ms) => {
    const now = clock();
    pass(10.5);
    now();
    machine.wallMs += ms;
    expect(Math.abs(now() - machine.wallMs)).toBeLessThanOrEqual(1);
    pass(0.5);
    expect(Math.abs(now() - machine.wallMs)).toBeLessThanOrEqual(1);
  });

  it('follows a machine that slept, whose elapsed time stood still', () => {
    const now = clock();
    machine.wallMs += 3_600_000;
    expect(Math.abs(now() - machine.wallMs)).toBeLessThanOrEqual(1);
  });

  it('stays with a system clock that is slewed', () => {
    const now = clock();
    for (let second = 0; second < 100; second++) {
      machine.wallMs += 1000.5;
      machine.elapsedMs += 1000;
      expect(Math.abs(now() - machine.wallMs)).toBeLessThanOrEqual(3);
    }
  });

  it("is the system's", () => {
    const { seconds, nanoseconds } = systemClock.now();
    expect(Math.abs(seconds * 1000 + nanoseconds / 1e6 - Date.now())).toBeLessThan(50);
  });
});
