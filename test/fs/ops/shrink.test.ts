// A shrink over many windows, which goes by steps, as those see it who ask for it and who work on the file meanwhile: one
// operation, before which nothing has happened.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Attributes, Change } from '../../../src/fs/file-system.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { NOT_RESIDENT, type Range, type Row } from '../../../src/kv/meta-store.ts';
import { ALICE, refusal, TestDataset, type TestDatasetOptions } from './test-dataset.ts';

const WINDOW_BYTES = 2 ** 20;
/** Three batches. */
const WINDOWS = 150;
const SIZE = 3 * WINDOW_BYTES + 9;

const ctime = (node: Attributes) => ({ seconds: node.ctimeSeconds, nanoseconds: node.ctimeNanoseconds });
/** wcc_attr */
const wcc = (node: Attributes) => ({
  size: node.size,
  mtime: [node.mtimeSeconds, node.mtimeNanoseconds],
  ctime: [node.ctimeSeconds, node.ctimeNanoseconds],
});

/** Which rows there are cannot be said while it fails. */
class UnlistedMetaStore extends MemoryMetaStore {
  fails = false;

  override page(range: Range, limit: number): Promise<Row[]> {
    return this.fails ? Promise.reject(new Error('Cannot list rows')) : super.page(range, limit);
  }
}

/** While it is slow, each row has to be fetched, which takes a turn. */
class SlowMetaStore extends MemoryMetaStore {
  isSlow = false;
  private readonly fetched = new Set<string>();

  override get(key: Buffer): Buffer | undefined {
    // MemoryMetaStore has everything at hand, and so its type says.
    if (this.isSlow && !this.fetched.delete(key.toString('hex'))) return NOT_RESIDENT as never;
    return super.get(key);
  }

  override async fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    await new Promise(setImmediate);
    for (const key of keys) this.fetched.add(key.toString('hex'));
    return keys.map((key) => super.get(key));
  }
}

async function largeFile(
  options: TestDatasetOptions = {},
): Promise<{ dataset: TestDataset; file: Attributes }> {
  const dataset = await TestDataset.open(options);
  const file = await dataset.file(await dataset.root(), 'large', { mode: 0o644 });
  for (let window = 0; window < WINDOWS; window++) await dataset.write(file, window * WINDOW_BYTES + 7, 'x');
  await dataset.parts.context.writeBack.flushAll(dataset.records.tree);
  await dataset.applied();
  return { dataset, file: await dataset.stat(file) };
}

/** Shrinks the file, and sets its atime again and again until that is done; all in the order in which they happened. */
async function disturbed(dataset: TestDataset, file: Attributes): Promise<{ shrunk: Change; all: Change[] }> {
  const all: Change[] = [];
  let done = false;
  const shrinking = dataset.setattr(file, { size: SIZE }, ctime(file)).finally(() => {
    done = true;
  });
  while (!done) {
    all.push(await dataset.setattr(file, { atime: 'now' }));
    await new Promise(setImmediate);
  }
  const shrunk = await shrinking;
  all.push(shrunk);
  return { shrunk, all: all.sort((a, b) => compared(a.after, b.after)) };
}

function compared(a: Attributes, b: Attributes): number {
  return a.ctimeSeconds - b.ctimeSeconds || a.ctimeNanoseconds - b.ctimeNanoseconds;
}

describe('a shrink over many windows', () => {
  let dataset: TestDataset;
  let file: Attributes;
  beforeEach(async () => {
    ({ dataset, file } = await largeFile());
  });

  it('shows the file as it was before and as it is, and is what its guard lets through', async () => {
    const { before, after } = await dataset.setattr(file, { size: SIZE, mode: 0o600 }, ctime(file));
    expect(before).toEqual(file);
    expect(after).toMatchObject({ size: SIZE, mode: 0o600, allocated: 4 });
    expect(await dataset.stat(file)).toEqual(after);
  });

  it('shows also what waited in memory before', async () => {
    await dataset.write(file, WINDOWS * WINDOW_BYTES, 'more');
    const waiting = await dataset.stat(file);
    const { before } = await dataset.setattr(file, { size: SIZE }, ctime(waiting));
    expect(before).toEqual(waiting);
  });

  it('is ENOTSYNC when the guard is another one, and then nothing is cut', async () => {
    expect(await refusal(dataset.setattr(file, { size: SIZE }, { seconds: 1, nanoseconds: 1 }))).toBe(
      'ENOTSYNC',
    );
    expect(await dataset.stat(file)).toEqual(file);
  });

  it('comes with a CREATE that is UNCHECKED as well', async () => {
    const before = await dataset.root();
    const { node, directory } = await dataset.create(before, 'large', { size: SIZE });
    expect(node).toMatchObject({ ino: file.ino, size: SIZE, allocated: 4 });
    expect(directory).toEqual({ before, after: before });
  });

  it('makes others wait, who then find the file as it left it', async () => {
    const directory = await dataset.root();
    const shrinking = dataset.setattr(file, { size: SIZE }, ctime(file));
    const guarded = refusal(dataset.setattr(file, { mode: 0o640 }, ctime(file)));
    const again = dataset.setattr(file, { size: WINDOW_BYTES });
    const denied = refusal(dataset.as(ALICE).setattr(file, { size: 0 }));
    const written = dataset.write(file, 0, 'begins anew');
    const removed = dataset.remove(directory, 'large');
    const { after } = await shrinking;
    expect(await guarded).toBe('ENOTSYNC');
    expect(await denied).toBe('EACCES');
    expect((await again).before).toEqual(after);
    expect((await written).after.size).toBe(WINDOW_BYTES);
    await removed;
    expect(await refusal(dataset.stat(file))).toBe('ESTALE');
    expect(dataset.records.tree.held.size).toBe(0);
    expect(dataset.records.tree.usedBytes).toBe(0);
  });

  it('lets go of the file when it fails on the way', async () => {
    const meta = new UnlistedMetaStore();
    ({ dataset, file } = await largeFile({ meta }));
    meta.fails = true;
    await expect(dataset.setattr(file, { size: SIZE })).rejects.toThrow('Cannot list');
    meta.fails = false;
    expect((await dataset.setattr(file, { size: SIZE })).after.size).toBe(SIZE);
  });
});

it('a shrink over many windows hides nothing that others did, where all has to be read', async () => {
  const meta = new SlowMetaStore();
  const { dataset, file } = await largeFile({ meta });
  const { chunks } = dataset.records.tree;
  for (let time = 0; time < 2; time++) chunks.age();
  meta.isSlow = true;
  const { shrunk, all } = await disturbed(dataset, file);
  expect(shrunk.after.size).toBe(SIZE);
  let last = file;
  for (const { before, after } of all) {
    expect(wcc(before)).toEqual(wcc(last));
    last = after;
  }
});
