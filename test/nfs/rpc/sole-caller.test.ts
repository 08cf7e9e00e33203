import { describe, expect, it } from 'vitest';
import { SoleCaller } from '../../../src/nfs/rpc/sole-caller.ts';

describe('whether one connection alone is calling', () => {
  const [one, other] = [{}, {}];

  it('is so when no other has called for 10 ms', () => {
    const caller = new SoleCaller();
    caller.called(one, 100);
    for (let nowMs = 100; nowMs < 110; nowMs++) {
      caller.called(one, nowMs);
      expect(caller.isSole(nowMs)).toBe(false);
    }
    expect(caller.isSole(110)).toBe(true);
  });

  it('is not so while two take turns', () => {
    const caller = new SoleCaller();
    for (let nowMs = 0; nowMs < 200; nowMs += 5) {
      caller.called(nowMs % 10 === 0 ? one : other, nowMs);
      expect(caller.isSole(nowMs)).toBe(false);
    }
    expect(caller.isSole(205)).toBe(true);
  });
});
