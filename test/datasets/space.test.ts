import { describe, expect, it } from 'vitest';
import {
  availableInQuotas,
  chargedBytes,
  fitsInQuotas,
  promisedToOthers,
  type SpaceHolder,
  usedBytes,
} from '../../src/datasets/space.ts';

interface Shape {
  bytes?: number;
  snapshots?: number;
  quota?: number;
  refquota?: number;
  reservation?: number;
  parent?: Holder;
}

class Holder implements SpaceHolder {
  readonly parent: Holder | undefined;
  readonly children: Holder[] = [];
  readonly quota: number;
  readonly refquota: number;
  readonly reservation: number;
  bytes: number;
  readonly snapshots: number;

  constructor({ bytes = 0, snapshots = 0, quota = 0, refquota = 0, reservation = 0, parent }: Shape) {
    this.bytes = bytes;
    this.snapshots = snapshots;
    this.quota = quota;
    this.refquota = refquota;
    this.reservation = reservation;
    this.parent = parent;
    parent?.children.push(this);
  }

  snapshotBytes(): number {
    return this.snapshots;
  }

  referencedBytes(): number {
    return this.bytes;
  }
}

describe('used', () => {
  it('sums the dataset and all nested in it', () => {
    const a = new Holder({ bytes: 1 });
    const b = new Holder({ bytes: 10, parent: a });
    new Holder({ bytes: 100, parent: b });
    expect(usedBytes(a)).toBe(111);
  });

  it('counts what only snapshots hold', () => {
    const a = new Holder({ bytes: 1, snapshots: 20 });
    new Holder({ bytes: 100, snapshots: 3000, parent: a });
    expect(usedBytes(a)).toBe(3121);
    expect(availableInQuotas(new Holder({ bytes: 1, snapshots: 20, quota: 30 }))).toBe(9);
    expect(availableInQuotas(new Holder({ bytes: 1, snapshots: 20, refquota: 30 }))).toBe(29);
  });

  it('counts a nested dataset with its reservation when that is more', () => {
    const a = new Holder({ bytes: 1 });
    const b = new Holder({ bytes: 10, reservation: 50, parent: a });
    expect(usedBytes(a)).toBe(51);
    b.bytes = 70;
    expect(usedBytes(a)).toBe(71);
  });

  it('does not count a reservation in the dataset that has it', () => {
    const a = new Holder({ bytes: 1, reservation: 50 });
    expect(usedBytes(a)).toBe(1);
    expect(chargedBytes(a)).toBe(50);
  });
});

describe('what quotas leave', () => {
  it('is without bound when there are none', () => {
    const a = new Holder({ bytes: 1, reservation: 5 });
    expect(availableInQuotas(new Holder({ parent: a }))).toBe(Number.POSITIVE_INFINITY);
  });

  it('is the least of refquota and all quotas around', () => {
    const a = new Holder({ bytes: 10, quota: 100 });
    const b = new Holder({ bytes: 20, quota: 80, parent: a });
    const c = new Holder({ bytes: 5, refquota: 50, parent: b });
    expect(availableInQuotas(a)).toBe(65);
    expect(availableInQuotas(b)).toBe(55);
    expect(availableInQuotas(c)).toBe(45);
    a.bytes = 60;
    expect(availableInQuotas(c)).toBe(15);
  });

  it('is 0, not less, when more is used than a quota allows', () => {
    const a = new Holder({ bytes: 10, quota: 5, refquota: 7 });
    expect(availableInQuotas(a)).toBe(0);
    expect(availableInQuotas(new Holder({ parent: a }))).toBe(0);
  });

  it('counts a refquota for the live tree alone', () => {
    const a = new Holder({ bytes: 10, refquota: 30 });
    new Holder({ bytes: 1000, parent: a });
    expect(availableInQuotas(a)).toBe(20);
  });

  it('keeps what is reserved for one nested dataset from its neighbours, not from itself', () => {
    const a = new Holder({ quota: 100 });
    const promised = new Holder({ bytes: 10, reservation: 60, parent: a });
    const other = new Holder({ parent: a });
    expect(availableInQuotas(other)).toBe(40);
    expect(availableInQuotas(promised)).toBe(90);
    other.bytes = 40;
    expect(availableInQuotas(other)).toBe(0);
    expect(availableInQuotas(promised)).toBe(50);
  });
});

describe('what reservations keep of the disk', () => {
  it('is what is promised to others and not used', () => {
    const a = new Holder({ bytes: 10, reservation: 100 });
    const b = new Holder({ bytes: 5 });
    expect(promisedToOthers(b, [a])).toBe(90);
    expect(promisedToOthers(undefined, [a])).toBe(90);
    expect(promisedToOthers(a, [a])).toBe(0);
    a.bytes = 300;
    expect(promisedToOthers(b, [a])).toBe(0);
  });

  it('counts a reservation inside a reservation once', () => {
    const a = new Holder({ reservation: 100 });
    const inner = new Holder({ bytes: 10, reservation: 40, parent: a });
    const sibling = new Holder({ parent: a });
    const b = new Holder({});
    expect(promisedToOthers(b, [a, inner])).toBe(90);
    expect(promisedToOthers(sibling, [a, inner])).toBe(30);
    expect(promisedToOthers(inner, [a, inner])).toBe(0);
  });
});

describe('moving bytes into a dataset', () => {
  const never = (): boolean => false;

  it('fits as long as no quota around is exceeded', () => {
    const a = new Holder({ bytes: 10, quota: 100 });
    const b = new Holder({ bytes: 20, parent: a });
    expect(fitsInQuotas(b, 70, never)).toBe(true);
    expect(fitsInQuotas(b, 71, never)).toBe(false);
  });

  it('takes nothing from around where a reservation has promised it', () => {
    const a = new Holder({ bytes: 10, quota: 100 });
    const b = new Holder({ reservation: 90, parent: a });
    expect(fitsInQuotas(b, 90, never)).toBe(true);
    expect(fitsInQuotas(b, 91, never)).toBe(false);
  });

  it('asks nothing of a dataset that counts them already', () => {
    const a = new Holder({ bytes: 100, quota: 100 });
    const b = new Holder({ parent: a });
    expect(fitsInQuotas(b, 50, (holder) => holder === a)).toBe(true);
    expect(fitsInQuotas(b, 50, never)).toBe(false);
  });
});
