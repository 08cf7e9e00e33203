// Entries in the directory at which a nested dataset shows. No client sees them, and nothing that is right puts them
// there; when the dataset goes elsewhere the directory stays and shows them.

import { attempt } from '../../fs/attempt.ts';
import type { Finding } from '../../fs/check/finding.ts';
import type { InodeRecord } from '../../fs/inode-record.ts';
import { nameCookie } from '../../fs/name-cookie.ts';
import { ROOT_INO } from '../../fs/operation.ts';
import { Records } from '../../fs/records.ts';
import type { Store } from '../../fs/store.ts';
import type { DatasetRecord } from '../dataset-record.ts';
import { lastComponentOf, parentNameOf } from '../names.ts';

export async function* hiddenEntries(
  store: Store,
  datasets: readonly DatasetRecord[],
): AsyncGenerator<Finding> {
  const trees = new Map(datasets.map(({ name, headTree }) => [name, headTree]));
  for (const { id, name } of datasets) {
    const around = parentNameOf(name);
    const tree = around === undefined ? undefined : store.trees.get(trees.get(around)!);
    if (!tree) continue;
    const records = new Records(store, tree, nameCookie(store.parts.hashKey));
    const directory = await directoryOf(records, lastComponentOf(name));
    if (directory?.mountedDataset !== id || directory.entryCount === 0) continue;
    const { ino, entryCount } = directory;
    const message = `${entryCount} ${entryCount === 1 ? 'entry' : 'entries'} of ${around} below this directory cannot be seen, because the dataset ${name} shows at it: rename the dataset out of ${around}, and the directory stays and shows them`;
    yield { kind: 'dataset', tree: tree.id, ino, message, repair: null };
  }
}

/** Undefined also where it cannot be read: the check of the records tells that. */
async function directoryOf(records: Records, name: string): Promise<InodeRecord | undefined> {
  try {
    return await attempt(() => {
      const entry = records.entry(ROOT_INO, Buffer.from(name));
      return entry ? records.inode(entry.ino) : undefined;
    });
  } catch {
    return undefined;
  }
}
