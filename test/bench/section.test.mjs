import { describe, expect, it } from 'vitest';
import { sectionOf } from '../../bench/section.mjs';

function verdictsOf(limits) {
  const tables = [{ title: 'A table', note: 'Why.', head: ['what'], rows: [['this']], limits }];
  return sectionOf({ title: 'A section', measuredBy: 'npm run it', tables })
    .split('\n')
    .filter((line) => /met|missed/.test(line));
}

describe('a section of the page', () => {
  it('judges what may not be more', () => {
    expect(verdictsOf([{ what: 'time', measured: 20, atMost: 20, unit: 'ms' }])).toEqual([
      '| time | ≤ 20 ms | 20 ms | met |',
    ]);
    expect(verdictsOf([{ what: 'time', measured: 20.01, atMost: 20 }])).toEqual([
      '| time | ≤ 20 | 20.01 | missed |',
    ]);
  });

  it('judges what may not be less', () => {
    expect(verdictsOf([{ what: 'share', measured: 0.5, atLeast: 0.5 }])).toEqual([
      '| share | ≥ 0.5 | 0.5 | met |',
    ]);
    expect(verdictsOf([{ what: 'share', measured: 0.49, atLeast: 0.5 }])).toEqual([
      '| share | ≥ 0.5 | 0.49 | missed |',
    ]);
  });

  it('does not take what was not measured for met', () => {
    expect(verdictsOf([{ what: 'time', measured: Number.NaN, atMost: 20 }])).toEqual([
      '| time | ≤ 20 | NaN | missed |',
    ]);
  });
});
