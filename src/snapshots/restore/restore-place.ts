// Paths of a restore: what is to come back, and where to.

import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import { ADMINISTRATOR, type Attributes, type FileSystem } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { Place } from './copy-tree.ts';

/** @throws DatasetError `not-found` */
export async function findSourceNode(
  fileSystem: FileSystem,
  snapshot: string,
  path: string,
): Promise<Attributes> {
  const found = await walk(fileSystem, componentsOf(path));
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
  const directory = await walk(fileSystem, components);
  if (!directory)
    throw new DatasetError(
      'not-found',
      `There is no directory /${components.join('/')} in ${datasetName}: create it first`,
    );
  if ((await isTaken(fileSystem, { directory, name })) && !replaces) throw occupied(datasetName, path);
  return { directory, name };
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

async function isTaken(fileSystem: FileSystem, { directory, name }: Place): Promise<boolean> {
  try {
    return (await fileSystem.lookup(ADMINISTRATOR, directory, name)) !== undefined;
  } catch (error) {
    if (error instanceof FsError)
      throw new DatasetError('invalid', `Nothing can be restored there: ${error.message}`);
    throw error;
  }
}

/** Names lead down from the root; symbolic links are not followed. */
async function walk(fileSystem: FileSystem, components: readonly string[]): Promise<Attributes | undefined> {
  let at: Attributes = await fileSystem.root();
  for (const component of components) {
    const next = await step(fileSystem, at, component);
    if (!next) return undefined;
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
