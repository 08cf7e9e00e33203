// Keeps a generation as a snapshot does (DESIGN 3.2), in two items: the first keeps what is there now, in the turn in
// which operations go on in the next generation; the second, behind every flush of what was accepted before, completes
// it. Only then is it to be looked at.

import { PLAIN_ITEM } from '../../../src/fs/item.ts';
import { JOB_HOLDER } from '../../../src/fs/tree-rows.ts';
import { keys } from '../../../src/kv/keys.ts';
import type { Process } from './world.ts';

export interface Keeping {
  readonly generation: number;
  /** Of the first item. */
  readonly ticket: number;
  /** Resolves with the ticket of the second. */
  readonly completed: Promise<number>;
}

export function keepGeneration({ store, tree, writeBack }: Process): Keeping {
  const generation = tree.accept;
  const action = { kind: 'keep', holder: JOB_HOLDER } as const;
  const ticket = store.stage({ ...PLAIN_ITEM, tree, generation, action, rows: [] });
  tree.accept = generation + 1;
  const complete = async () => {
    await writeBack.flushAll(tree, tree.accept);
    return store.stageRows([{ key: completedKey(generation), value: Buffer.from('complete') }]);
  };
  return { generation, ticket, completed: complete() };
}

/** The row of the second item. */
export function completedKey(generation: number): Buffer {
  return keys.system.key(`model/kept/${generation}`);
}
