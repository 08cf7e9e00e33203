// Paths of a restore: what is to come back, and where to.

import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import { ADMINISTRATOR, type Attributes, type FileSystem } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { Place } from './copy-tree.ts';
import { checkDestination, checkWayTo, elsewhere, type ShownThen } from './nested-at.ts';

/** What a restore reads from. */
export interface SourceTree {
  /** `dataset@snapshot` */
  readonly snapshot: string;
  readonly fileSystem: FileSystem;
  /** The dataset that showed at an empty directory. */
  readonly shownAt: (directory: Attributes) => Promise<ShownThen | undefined>;
}

/** @throws DatasetError `not-found` */
export async function findSourceNode(source: SourceTree, path: string): Promise<Attributes> {
  const { snapshot, fileSystem } = source;
  const components = componentsOf(path);
  const found = await walk(fileSystem, components);
  if (found && components.length !== 1) return found;
  // Where a nested dataset showed the snapshot has an empty directory: not what is asked for.
  const top = await walk(fileSystem, components.slice(0, 1));
  const shown = top && (await source.shownAt(top));
  if (shown) throw elsewhere(snapshot, path, { at: `/${components[0]}`, ...shown });
  if (found) return found;
  throw new DatasetError('not-found', `There is no ${path} in ${snapshot}`);
}

/**
 * @param replaces what stands there may go
 * @throws DatasetError `exists`, `not-found`, `invalid`, `denied`
 */
export async function findPlace(dataset: DatasetEntry, path: string, replaces: boolean): Promise<Place> {
  const { name: datasetName, fileSystem } = dataset;
  if (dataset.readonly)
    throw new DatasetError('denied', `${datasetName} is read-only: nothing can be restored into it`);
  const name = nameIn(path);
  if (name === undefined)
    throw new DatasetError(
      'exists',
      `The root of ${datasetName} is always there: say where else to restore to, or roll the dataset back`,
    );
  const components = componentsOf(path).slice(0, -1);
  const directory = await walk(fileSystem, components, (node) => checkWayTo(dataset, node));
  if (!directory)
    throw new DatasetError(
      'not-found',
      `There is no directory /${components.join('/')} in ${datasetName}: create it first`,
    );
  const taken = await entryAt(fileSystem, { directory, name });
  if (taken) checkDestination(dataset, taken);
  if (taken && !replaces) throw occupied(datasetName, path);
  return { directory, name };
}

/**
 * Looks at a place again: a nested dataset may show there since. From when the copy is in the directory none comes to
 * show at that, which is for empty ones only, and the step that puts the copy in its place takes no other's name.
 *
 * @throws DatasetError `exists`, `invalid`; FsError where the directory is gone
 */
export async function checkPlace(dataset: DatasetEntry, { directory, name }: Place): Promise<void> {
  checkWayTo(dataset, await dataset.fileSystem.attributes(directory));
  const taken = await entryAt(dataset.fileSystem, { directory, name });
  if (taken) checkDestination(dataset, taken);
}

/** The last component of a path; undefined for that of the root. @throws DatasetError `invalid` */
export function nameIn(path: string): Buffer | undefined {
  const last = componentsOf(path).at(-1);
  return last === undefined ? undefined : Buffer.from(last);
}

export function occupied(dataset: string, path: string): DatasetError {
  return new DatasetError(
    'exists',
    `There is a ${path} in ${dataset} already: say where else to restore to, or replace it with --replace`,
  );
}

async function entryAt(fileSystem: FileSystem, { directory, name }: Place): Promise<Attributes | undefined> {
  try {
    return await fileSystem.lookup(ADMINISTRATOR, directory, name);
  } catch (error) {
    if (error instanceof FsError)
      throw new DatasetError('invalid', `Nothing can be restored there: ${error.message}`);
    throw error;
  }
}

/**
 * Names lead down from the root; symbolic links are not followed.
 *
 * @param check throws where the way must not lead through
 */
async function walk(
  fileSystem: FileSystem,
  components: readonly string[],
  check: (node: Attributes) => void = () => {},
): Promise<Attributes | undefined> {
  let at: Attributes = await fileSystem.root();
  for (const component of components) {
    const next = await step(fileSystem, at, component);
    if (!next) return undefined;
    check(next);
    at = next;
  }
  return at;
}

async function step(
  fileSystem: FileSystem,
  directory: Attributes,
  name: string,
): Promise<Attributes | undefined> {
  try {
    return await fileSystem.lookup(ADMINISTRATOR, directory, Buffer.from(name));
  } catch (error) {
    if (error instanceof FsError && (error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG'))
      return undefined;
    throw error;
  }
}

/** @throws DatasetError `invalid` for `.` and `..`, which mean nothing where the path is not walked by a client */
function componentsOf(path: string): string[] {
  const components = path.split('/').filter((component) => component !== '');
  if (components.some((component) => component === '.' || component === '..'))
    throw new DatasetError('invalid', `${path} is no plain path: write it without "." and ".."`);
  return components;
}
