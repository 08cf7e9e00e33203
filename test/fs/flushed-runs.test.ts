import { expect, it } from 'vitest';
import { seededRandom } from '../kv/seeded-random.ts';
import { ViewWorld } from './views/view-world.ts';
import { SUPERUSER } from './views/walk.ts';

const call = { caller: SUPERUSER };
const MIB = 2 ** 20;
const how = { mode: 'guarded', changes: {} } as const;

/** Writes a file in pieces, and says of the appends of its flushes whether its data is taken for seldom read. */
async function flushedAs(offsets: readonly number[], bytes: number): Promise<boolean[]> {
  const world = await ViewWorld.open({ random: seededRandom(1) });
  const dataset = await world.create();
  dataset.walk = null;
  const { segmentLog } = world;
  const append = segmentLog.append.bind(segmentLog);
  const seen: boolean[] = [];
  segmentLog.append = (sources, seldomRead = false) => {
    seen.push(seldomRead);
    return append(sources, seldomRead);
  };
  const root = await dataset.fileSystem.root();
  const { result } = await dataset.fileSystem.create(call, root, Buffer.from('file'), how);
  for (const offset of offsets)
    await dataset.fileSystem.write(call, result.node, offset, Buffer.alloc(bytes, 1), false);
  await world.shared.writeBack.flushAll(dataset.operations.records.tree);
  return [...new Set(seen)];
}

const inOrder = (bytes: number) => Array.from({ length: (4 * MIB) / bytes }, (_, index) => index * bytes);
const apart = (bytes: number) => inOrder(bytes).map((offset) => offset * 5);

it('what was written from one end to the other need not stay in memory, in whatever pieces', async () => {
  expect(await flushedAs(inOrder(MIB), MIB)).toEqual([true]);
  expect(await flushedAs(inOrder(65_536), 65_536)).toEqual([true]);
  expect(await flushedAs(inOrder(4096).reverse(), 4096)).toEqual([true]);
});

it('what was written here and there stays in memory, and so do small files', async () => {
  expect(await flushedAs(apart(65_536), 65_536)).toEqual([false]);
  expect(await flushedAs(apart(16_384), 16_384)).toEqual([false]);
  expect(await flushedAs([0], 50_000)).toEqual([false]);
});
