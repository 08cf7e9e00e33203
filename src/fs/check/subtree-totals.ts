// How much of a tree lies below one of its inodes, by the links back to the parents. A file counts where its first name is.

import type { TreeFacts } from './inode-facts.ts';
import type { CheckTotals } from './record-checks.ts';

export function subtreeTotals({ inodes }: TreeFacts, top: number): CheckTotals {
  const totals = { inodes: 0, bytes: 0 };
  const known = new Map([[top, true]]);
  const isBelow = (ino: number): boolean => {
    const way: number[] = [];
    let at = ino;
    while (!known.has(at)) {
      // Until it is known better: links that lead round in a circle lead nowhere.
      known.set(at, false);
      way.push(at);
      at = inodes.get(at)?.parent ?? 0;
    }
    const result = known.get(at)!;
    for (const each of way) known.set(each, result);
    return result;
  };
  for (const [ino, { chunkBytes }] of inodes) {
    if (!isBelow(ino)) continue;
    totals.inodes++;
    totals.bytes += chunkBytes;
  }
  return totals;
}
