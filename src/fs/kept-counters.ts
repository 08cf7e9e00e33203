// What the KEPT row of a generation says.

import { keys } from '../kv/keys.ts';
import { FsError } from './fs-error.ts';
import { decodeKept, type KeptRecord } from './generation-records.ts';
import type { Store } from './store.ts';
import { DamageError } from './versioned-value.ts';

/** @throws Wait; FsError `ESTALE` when the generation is not kept, `EIO` when its row is damaged */
export function keptCounters(store: Store, tree: number, generation: number): KeptRecord {
  const row = store.committed(keys.kept.key(tree, generation));
  const record = row && decoded(row);
  // Without a holder it is being swept.
  if (record && record.holders.length > 0) return record;
  throw new FsError('ESTALE', `Generation ${generation} of tree ${tree} is not kept`);
}

function decoded(row: Buffer): KeptRecord {
  try {
    return decodeKept(row);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    throw new FsError('EIO', error.message, { cause: error });
  }
}
