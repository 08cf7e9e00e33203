import { describe, expect, it } from 'vitest';
import { checkLimits, type LimitsChange } from '../../src/datasets/limits-check.ts';
import type { SpaceHolder } from '../../src/datasets/space.ts';

const NONE = { quota: 0, refquota: 0, reservation: 0 };

const change = (fields: Partial<LimitsChange>): LimitsChange => ({
  name: 'a/b',
  before: NONE,
  after: NONE,
  used: 100,
  referenced: 60,
  around: undefined,
  unpromised: 1000,
  ...fields,
});

const around: SpaceHolder = {
  parent: undefined,
  children: [],
  ...NONE,
  quota: 500,
  referencedBytes: () => 300,
  snapshotBytes: () => 0,
};

const noSpace = (why: string): unknown =>
  expect.objectContaining({ code: 'no-space', message: expect.stringContaining(why) });

describe('setting limits', () => {
  it('allows a quota of what is used, and refuses less', () => {
    expect(() => checkLimits(change({ after: { ...NONE, quota: 100 } }))).not.toThrow();
    expect(() => checkLimits(change({ after: { ...NONE, quota: 99 } }))).toThrow(
      noSpace('Cannot limit a/b to 99B by quota: 100B are used already'),
    );
  });

  it('allows a refquota of what the live tree holds, and refuses less', () => {
    expect(() => checkLimits(change({ after: { ...NONE, refquota: 60 } }))).not.toThrow();
    expect(() => checkLimits(change({ after: { ...NONE, refquota: 59 } }))).toThrow(
      noSpace('by refquota: 60B are used already'),
    );
  });

  it('lets an old quota stand while other properties change', () => {
    const before = { ...NONE, quota: 50 };
    expect(() => checkLimits(change({ before, after: { ...before, refquota: 80 } }))).not.toThrow();
  });

  it('refuses a reservation above the quota', () => {
    expect(() => checkLimits(change({ after: { ...NONE, quota: 200, reservation: 201 } }))).toThrow(
      noSpace('its reservation is 201B'),
    );
    expect(() => checkLimits(change({ after: { ...NONE, quota: 200, reservation: 200 } }))).not.toThrow();
  });

  it('names the limit that was changed where a reservation is above the quota', () => {
    const before = { ...NONE, quota: 200 };
    expect(() => checkLimits(change({ before, after: { ...before, reservation: 201 } }))).toThrow(
      noSpace('Cannot reserve 201B for a/b: its quota is 200B'),
    );
  });

  it('refuses a reservation that the disk cannot promise', () => {
    expect(() => checkLimits(change({ after: { ...NONE, reservation: 1100 } }))).not.toThrow();
    expect(() => checkLimits(change({ after: { ...NONE, reservation: 1101 } }))).toThrow(
      noSpace('the disk can promise 1000B'),
    );
  });

  it('refuses a reservation that the quotas around do not hold', () => {
    expect(() => checkLimits(change({ around, after: { ...NONE, reservation: 300 } }))).not.toThrow();
    expect(() => checkLimits(change({ around, after: { ...NONE, reservation: 301 } }))).toThrow(
      noSpace('the quotas around it can promise 200B'),
    );
  });

  it('lets a reservation shrink also on a full disk', () => {
    const before = { ...NONE, reservation: 500 };
    expect(() =>
      checkLimits(change({ before, after: { ...NONE, reservation: 400 }, unpromised: 0 })),
    ).not.toThrow();
  });
});
