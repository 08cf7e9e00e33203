// The space accounting of trees that have none: they were written before there was one, and before generations were kept,
// so all that they hold is the head's.

import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import { contentIn } from './chunk-frames.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import { encodeSpace, HEAD } from './space-rows.ts';
import type { Tree } from './tree.ts';

/** Counts what such trees hold and writes it down. Done again when it was cut short. */
export async function recountSpace(meta: MetaStore, trees: Iterable<Tree>): Promise<void> {
  const writes: Write[] = [];
  for (const tree of trees) {
    const isCounted = [...tree.space.all()].length > 0;
    // One that uses nothing may have data which is not drained yet.
    if (isCounted || tree.parent !== null) continue;
    const bytes = await bytesIn(meta, tree.id);
    if (bytes === 0) continue;
    tree.space.set({ first: HEAD, last: HEAD }, bytes);
    writes.push({ key: keys.space.key(tree.id, HEAD, HEAD), value: encodeSpace(bytes) });
  }
  if (writes.length > 0) await meta.write(writes, true);
}

async function bytesIn(meta: MetaStore, tree: number): Promise<number> {
  let bytes = 0;
  for await (const [, value] of meta.rows(keys.chunk.range(tree))) {
    const { frames, inlineBytes } = contentIn(value);
    bytes += inlineBytes;
    // A frame never crosses its window, so no other row names it.
    for (const { storedBytes } of frames.values()) bytes += storedBytes + FRAME_HEADER_BYTES;
  }
  return bytes;
}
