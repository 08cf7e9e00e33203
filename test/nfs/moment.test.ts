import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../src/nfs/moment.ts';

/** 2026-03-01T00:00:00.25Z */
const now = { seconds: Date.UTC(2026, 2, 1) / 1000, nanoseconds: 250_000_000 };

const shown = (text: string): string | undefined => {
  const moment = parseMoment(text, now);
  if (!moment) return undefined;
  const fraction = String(moment.nanoseconds).padStart(9, '0');
  return new Date(moment.seconds * 1000).toISOString().replace('000Z', `${fraction}Z`);
};

describe('a moment behind the "@" of a path', () => {
  it.each([
    ['-90s', '2026-02-28T23:58:30.250000000Z'],
    ['-5m', '2026-02-28T23:55:00.250000000Z'],
    ['-1h', '2026-02-28T23:00:00.250000000Z'],
    ['-1.5h', '2026-02-28T22:30:00.250000000Z'],
    ['-0.5s', '2026-02-28T23:59:59.750000000Z'],
    ['-2d', '2026-02-27T00:00:00.250000000Z'],
    ['-1w', '2026-02-22T00:00:00.250000000Z'],
    ['2026-01-01', '2026-01-01T00:00:00.000000000Z'],
    ['2026-01-01T12:00', '2026-01-01T12:00:00.000000000Z'],
    ['2026-01-01T12:00:07', '2026-01-01T12:00:07.000000000Z'],
    ['2026-01-01T12:00:07.5', '2026-01-01T12:00:07.500000000Z'],
    ['2026-01-01T12:00Z', '2026-01-01T12:00:00.000000000Z'],
    ['2026-01-01T12:00+02:00', '2026-01-01T10:00:00.000000000Z'],
    ['2026-01-01T12:00:07-0530', '2026-01-01T17:30:07.000000000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000000000Z'],
  ])('%s is %s', (text, moment) => {
    expect(shown(text)).toBe(moment);
  });

  it.each([
    '',
    'yesterday',
    '1h',
    '-1',
    '-1y',
    '--1h',
    '-1h30m',
    '2026-02-30',
    '2026-13-01',
    '2026-01-01T24:00',
    '2026-01-01T12:60',
    '2026-01-01T12',
    '2026-01-01 12:00',
    '2026-01-01Z',
    '0000-00-00',
    '2026-01-01T12:00+2',
  ])('%j is none', (text) => {
    expect(shown(text)).toBeUndefined();
  });
});
