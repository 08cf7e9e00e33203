// Deletion: the registry's rows go and the trees are given up, in one batch whose size does not depend on what the
// datasets hold. From then on they answer nothing; their space comes back in the background, across restarts.

import { inoSequenceKey } from '../fs/open-dataset.ts';
import { bytesFreedBy } from '../fs/release-plan.ts';
import { checkNotRoot } from './catalog.ts';
import type { DatasetEntry } from './dataset-entry.ts';
import { DatasetError, type DeletePlan } from './datasets.ts';
import { removeMountPoint } from './mount-point.ts';
import type { RegistryContext } from './registry-context.ts';
import { rowsWithout } from './registry-rows.ts';

/** Names that a refusal lists. */
const LISTED_MAX = 5;

/** @throws Wait; DatasetError `busy` for `root`, for the default dataset, and without `recursive` for one with others nested in it */
export function planDelete(context: RegistryContext, name: string, recursive: boolean): DeletePlan {
  return planOf(context, doomed(context, name, recursive));
}

/** @throws Wait and starts over, having staged nothing; DatasetError as {@link planDelete} */
export function stageDelete(context: RegistryContext, name: string, recursive: boolean): DeletePlan {
  const { catalog, store, trees } = context;
  const entries = doomed(context, name, recursive);
  const plan = planOf(context, entries);
  const [top] = entries;
  const mountPoint = top!.parent && removeMountPoint(top!.parent, top!);
  mountPoint?.commit();
  for (const entry of entries) {
    store.forgetSequence(entry.operations.inos);
    context.snapshots.stageDelete(entry);
  }
  const inos = entries.map(({ id }) => ({ key: inoSequenceKey(id), value: null }));
  store.stageRows([...entries.flatMap(({ record }) => rowsWithout(record)), ...inos]);
  for (const { tree } of entries) trees.drop(tree);
  catalog.remove(top!);
  return plan;
}

function doomed(context: RegistryContext, name: string, recursive: boolean): DatasetEntry[] {
  const top = context.catalog.get(name);
  checkNotRoot(top, 'delete');
  const entries = [...top.subtree()];
  if (entries.length > 1 && !recursive) throw busy(name, nestedIn(entries.slice(1)));
  for (const entry of entries) {
    if (entry.id !== context.defaultId) continue;
    const which = entry === top ? 'it' : entry.name;
    throw busy(name, `${which} is the default dataset; make another one the default first`);
  }
  return entries;
}

function planOf({ snapshots, store }: RegistryContext, entries: readonly DatasetEntry[]): DeletePlan {
  return {
    names: entries.flatMap((entry) => [entry.name, ...snapshots.goingWith(entry)]),
    bytes: bytesFreedBy(
      store,
      entries.flatMap((entry) => snapshots.releasesOf(entry)),
      entries.map(({ tree }) => tree),
    ),
    inodes: entries.reduce((sum, { tree }) => sum + tree.usedInodes, 0),
  };
}

function nestedIn(entries: readonly DatasetEntry[]): string {
  const names = entries.slice(0, LISTED_MAX).map(({ name }) => name);
  const more = entries.length > LISTED_MAX ? `, and ${entries.length - LISTED_MAX} more` : '';
  return `${names.join(', ')}${more} nested in it would go too; delete it recursively (-r) to mean that`;
}

function busy(name: string, why: string): DatasetError {
  return new DatasetError('busy', `Cannot delete ${name}: ${why}`);
}
