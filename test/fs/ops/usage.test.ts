import { beforeEach, describe, expect, it } from 'vitest';
import { INODES_MAX, usage } from '../../../src/fs/ops/usage.ts';
import { TestDataset } from './test-dataset.ts';

describe('usage', () => {
  let dataset: TestDataset;
  const used = () => usage(dataset.parts.context);
  beforeEach(async () => {
    dataset = await TestDataset.open();
  });

  it('counts inodes as of the last operation', async () => {
    const root = await dataset.root();
    const made = dataset.file(root, 'a');
    expect(used().usedInodes).toBe(2);
    await made;
    await dataset.remove(root, 'a');
    expect(used().usedInodes).toBe(1);
  });

  it('has as available the least of the limits and the disk', async () => {
    const { tree } = dataset.records;
    tree.usedBytes = 1000;
    tree.dirtyGrowth = 24;
    await dataset.setFreeBytes(5000);
    expect(used()).toMatchObject({
      usedBytes: 1024,
      totalBytes: 6024,
      freeBytes: 5000,
      availableBytes: 5000,
    });
    tree.limits = { availableBytes: () => 3000 };
    expect(used()).toMatchObject({
      usedBytes: 1024,
      totalBytes: 4024,
      freeBytes: 3000,
      availableBytes: 3000,
    });
  });

  it('never has less than nothing, and numbers that a reply can carry where nothing is limited', async () => {
    dataset.records.tree.limits = { availableBytes: () => -5 };
    expect(used()).toMatchObject({ availableBytes: 0, totalBytes: 0, freeInodes: 0, totalInodes: 1 });
    dataset.records.tree.limits = { availableBytes: () => Number.POSITIVE_INFINITY };
    await dataset.setFreeBytes(Number.POSITIVE_INFINITY);
    expect(used().totalBytes).toBe(Number.MAX_SAFE_INTEGER);
    expect(used().totalInodes).toBe(INODES_MAX);
  });

  it('promises no more inodes than there is space for', async () => {
    await dataset.setFreeBytes(25_600);
    expect(used()).toMatchObject({ usedInodes: 1, freeInodes: 100, totalInodes: 101 });
  });
});
