// The rows of the space accounting, counted again from what is stored.

import { expect } from 'vitest';
import { contentIn, framesIn } from '../../../src/fs/chunk-frames.ts';
import { FRAME_HEADER_BYTES } from '../../../src/fs/frame.ts';
import { isPending } from '../../../src/fs/space-accounting.ts';
import { HEAD } from '../../../src/fs/space-rows.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import { birthOf } from '../../../src/fs/versioned-value.ts';
import { keys } from '../../../src/kv/keys.ts';
import type { ViewWorld } from '../views/view-world.ts';

/** The accounting of every tree says what its versions hold. */
export async function expectCounted(world: ViewWorld): Promise<void> {
  await world.shared.store.idle();
  for (const tree of world.shared.store.trees.values()) {
    const counted = new Map<string, number>();
    for (const row of tree.space.all())
      counted.set(isPending(row) ? 'pending' : `${row.first}/${row.last}`, row.bytes);
    expect(counted, `space of tree ${tree.id}`).toEqual(await recounted(world, tree));
  }
}

/** What the rows of the space accounting should be: from all versions, by trying every kept generation. */
async function recounted(world: ViewWorld, tree: Tree): Promise<Map<string, number>> {
  const { meta } = world.shared.store.parts;
  const keysOf = new Map<string, { birth: number; death: number; value: Buffer }[]>();
  const add = (id: string, birth: number, death: number, value: Buffer) =>
    void keysOf.set(id, [...(keysOf.get(id) ?? []), { birth, death, value }]);
  for await (const [key, value] of meta.rows(keys.history.range(tree.id, 0xfe))) {
    const { rest, death } = keys.history.parse(key);
    add(rest.toString('hex'), birthOf(value), death, value);
  }
  for await (const [key, value] of meta.rows(keys.chunk.range(tree.id)))
    add(key.subarray(5).toString('hex'), birthOf(value), HEAD, value);
  const { kept, hasHead } = tree.generations;
  const rows = new Map<string, number>();
  const count = (birth: number, death: number, bytes: number) => {
    const needing = kept.filter((generation) => generation >= birth && generation < death);
    if (death === HEAD && hasHead) needing.push(HEAD);
    const id = needing.length > 0 ? `${needing[0]}/${needing.at(-1)}` : 'pending';
    if (bytes > 0) rows.set(id, (rows.get(id) ?? 0) + bytes);
  };
  for (const versions of keysOf.values()) {
    const frames = new Map<number, { birth: number; death: number; bytes: number }>();
    for (const { birth, death, value } of versions) {
      count(birth, death, contentIn(value).inlineBytes);
      for (const [id, frame] of framesIn(value)) {
        if (frame.inherited) continue;
        frames.set(id, { birth: frame.birth, death, bytes: frame.storedBytes + FRAME_HEADER_BYTES });
      }
    }
    for (const { birth, death, bytes } of frames.values()) count(birth, death, bytes);
  }
  return rows;
}
