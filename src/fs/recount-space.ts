// The space accounting of a volume from before there was one.

import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import { VersionedKind } from './item.ts';
import { SpaceCount } from './space-count.ts';
import { encodeSpace } from './space-rows.ts';
import type { Tree } from './tree.ts';

/** Counts what trees hold that have no rows of it, and writes it down. Done again when it was cut short. */
export async function recountSpace(meta: MetaStore, trees: Iterable<Tree>): Promise<void> {
  const writes: Write[] = [];
  for (const tree of trees) {
    const isCounted = [...tree.space.all()].length > 0;
    if (isCounted) continue;
    const rows = (await counted(meta, tree.id)).rows(tree.generations);
    for (const { first, last, bytes } of rows.all()) {
      tree.space.set({ first, last }, bytes);
      writes.push({ key: keys.space.key(tree.id, first, last), value: encodeSpace(bytes) });
    }
  }
  if (writes.length > 0) await meta.write(writes, true);
}

async function counted(meta: MetaStore, tree: number): Promise<SpaceCount> {
  const count = new SpaceCount();
  for await (const [key, value] of meta.rows(keys.history.range(tree, VersionedKind.chunk)))
    count.addOld(value, keys.history.parse(key).death);
  for await (const [, value] of meta.rows(keys.chunk.range(tree))) count.addLive(value);
  return count;
}
