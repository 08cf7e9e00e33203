import { describe, expect, it } from 'vitest';
import { enduranceTable } from '../../bench/load-endurance.mjs';

const STEPS = ['untar', 'compile', 'git', 'smallfile', 'randrw', 'randwrite'];

/** A round each ten seconds; `change` says of the one of an index what is not as always. */
function tableOf(count, change = () => ({})) {
  const rounds = Array.from({ length: count }, (_, index) => {
    const { p50Ms = 2, ...rest } = change(index);
    const steps = STEPS.map((name) => [name, { rate: 1000, p50Ms: name === 'git' ? p50Ms : 2, p99Ms: 9 }]);
    return {
      endedS: (index + 1) * 10,
      residentMiB: 400,
      diskMiB: 900,
      steps: Object.fromEntries(steps),
      ...rest,
    };
  });
  const { limits, rows } = enduranceTable(rounds);
  return { rows, measured: limits.map(({ measured }) => measured), limits };
}

describe('the endurance part', () => {
  it('finds no growth where there is none behind the first third', () => {
    const { measured } = tableOf(12, (index) =>
      index < 3 ? { residentMiB: 900, diskMiB: 100, p50Ms: 9 } : {},
    );
    expect(measured).toEqual([1, 1, 1]);
  });

  it('takes the highest memory and disk of a third, and names the step that became slower', () => {
    const { measured, limits } = tableOf(12, (index) => ({
      p50Ms: index < 8 ? 2 : 3,
      ...(index === 10 && { residentMiB: 500, diskMiB: 1800 }),
    }));
    expect(measured).toEqual([1.25, 1.5, 2]);
    expect(limits[1].what).toContain('git');
  });

  it('has a row for each sixth of the time, also one in which no round ended', () => {
    const { rows, measured } = tableOf(1);
    expect(rows.map(([, rounds]) => rounds)).toEqual(['0', '0', '0', '0', '0', '1']);
    expect(measured).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
