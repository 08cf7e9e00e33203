import { describe, expect, it } from 'vitest';
import { recordOf, regressions } from '../../bench/recorded.mjs';

/** Rows of suite.mjs: three repeats of one step, ours and the peer. */
function rows({ ours, vfs, cpu = 10 }) {
  return ours.flatMap((ops_s, rep) => [
    { id: 'create_d16', rep, target: 'ours', ops_s, srv_us_per_op: cpu },
    { id: 'create_d16', rep, target: 'vfs', ops_s: vfs[rep], srv_us_per_op: 40 },
  ]);
}

const quiet = { strict: rows({ ours: [100, 102, 98], vfs: [50, 50, 50] }) };

describe('a recorded run of the bench', () => {
  it('keeps the ratio of each repeat to the peer beside it', () => {
    const { strict } = recordOf(quiet);
    expect(strict.create_d16.vfs).toEqual({ rate: [2, 2.04, 1.96], cpu: [0.25, 0.25, 0.25] });
  });

  it('is not beaten by a machine that is slower for both', () => {
    const slow = { strict: rows({ ours: [50, 51, 49], vfs: [25, 25, 25] }) };
    expect(regressions(recordOf(quiet), recordOf(slow))).toEqual([]);
  });

  it('shows what became slower, and what takes more CPU', () => {
    const worse = { strict: rows({ ours: [60, 61, 59], vfs: [50, 50, 50], cpu: 20 }) };
    const found = regressions(recordOf(quiet), recordOf(worse));
    expect(found.map(({ figure, step, peer, mode }) => [mode, step, peer, figure])).toEqual([
      ['strict', 'create_d16', 'vfs', 'rate'],
      ['strict', 'create_d16', 'vfs', 'cpu'],
    ]);
  });

  it('takes a loss for noise that is less than the scatter of the repeats', () => {
    const scattered = { strict: rows({ ours: [40, 70, 110], vfs: [50, 50, 50] }) };
    expect(regressions(recordOf(quiet), recordOf(scattered))).toEqual([]);
  });

  it('passes over steps that one of the runs has not got', () => {
    expect(regressions({}, recordOf(quiet))).toEqual([]);
    expect(regressions(recordOf(quiet), { strict: {} })).toEqual([]);
  });
});
