// The path that a check is limited to: a dataset, or what is in one. It has to be there, else a slip of the pen would be
// told that nothing is wrong.

import { attempt } from '../../fs/attempt.ts';
import { nameCookie } from '../../fs/name-cookie.ts';
import { ROOT_INO } from '../../fs/operation.ts';
import { Records } from '../../fs/records.ts';
import type { Store } from '../../fs/store.ts';
import type { Tree } from '../../fs/tree.ts';
import type { DatasetRecord } from '../dataset-record.ts';
import { DatasetError } from '../datasets.ts';

export interface CheckedPath {
  /** With a slash before each name; `/` is everything. */
  readonly top: string;
  /** What it leads to; null for everything, and where damage on the way keeps that from being told. */
  readonly node: { readonly tree: number; readonly ino: number } | null;
}

export const EVERYTHING: CheckedPath = { top: '/', node: null };

/** @throws DatasetError `not-found` */
export async function findCheckedPath(
  store: Store,
  datasets: readonly DatasetRecord[],
  path: string,
): Promise<CheckedPath> {
  const components = path.split('/').filter(Boolean);
  if (components.length === 0) return EVERYTHING;
  const top = `/${components.join('/')}`;
  // The innermost first. What one further out has below the directory of a nested one is told under such a path as well.
  for (let count = components.length; count > 0; count--) {
    const name = components.slice(0, count).join('/');
    const dataset = datasets.find((one) => one.name === name);
    const tree = dataset && store.trees.get(dataset.headTree);
    if (!tree) continue;
    const ino = await inodeAt(store, tree, components.slice(count));
    if (ino !== undefined) return { top, node: ino === null ? null : { tree: tree.id, ino } };
  }
  throw new DatasetError('not-found', `There is no ${top} to check: name a dataset, or a path in one`);
}

/** Whether a finding belongs to the path. One that has no path of its own concerns everybody. */
export function isBelow(path: string, { top }: CheckedPath): boolean {
  return path === '' || top === '/' || path === top || path.startsWith(`${top}/`);
}

/** Null where what it leads through cannot be read: that is for the check to tell. Undefined where there is nothing. */
async function inodeAt(
  store: Store,
  tree: Tree,
  components: readonly string[],
): Promise<number | null | undefined> {
  const records = new Records(store, tree, nameCookie(store.parts.hashKey));
  let at = ROOT_INO;
  for (const component of components) {
    try {
      const entry = await attempt(() => records.entry(at, Buffer.from(component)));
      if (!entry) return undefined;
      at = entry.ino;
    } catch {
      return null;
    }
  }
  return at;
}
