// What a registry must look like whatever was done to it, and how two are compared.

import { expect } from 'vitest';
import { ROOT_INO } from '../../src/fs/operation.ts';
import { SUPERUSER, type TestVolume } from './test-volume.ts';

/** A DatasetError with this code, whose message has these words. */
export const failure = (code: string, why: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(why) });

export const names = ({ datasets }: TestVolume): string[] => datasets.list().map(({ name }) => name);

/** What a person sees of the registry. */
export const shown = ({ datasets }: TestVolume): unknown =>
  datasets.list().map(({ name }) => {
    const { usedBytes: _, usedInodes: __, availableBytes: ___, ...info } = datasets.info(name);
    return info;
  });

/** The datasets and the directories that they are in one another agree. */
export async function checkWhole({ datasets }: TestVolume): Promise<void> {
  for (const { name, fileSystem } of datasets.list()) {
    const root = await fileSystem.root();
    expect(root.ino).toBe(ROOT_INO);
    const { entries } = await fileSystem.readdir(SUPERUSER, root, { high: 0, low: 0 }, 1000);
    const mounted = await fileSystem.attributesOf(entries.map(({ ino }) => ino));
    const directories = entries.map((entry, i) => [`${name}/${entry.name}`, mounted[i]!.mountedDataset]);
    const nested = datasets
      .list()
      .filter(
        (other) => other.name.startsWith(`${name}/`) && !other.name.slice(name.length + 1).includes('/'),
      )
      .map((other) => [other.name, other.id]);
    expect(directories.sort()).toEqual(nested.sort());
    expect(root.nlink).toBe(2 + nested.length);
  }
}

/** The entries of a dataset's root directory, and which dataset is nested at each. */
export async function entriesOf(volume: TestVolume, dataset: string): Promise<[string, number][]> {
  const fs = volume.datasets.get(dataset)!.fileSystem;
  const page = await fs.readdir(SUPERUSER, await fs.root(), { high: 0, low: 0 }, 100);
  const entries = await Promise.all(
    page.entries.map(async ({ name, ino }) => {
      const [attributes] = await fs.attributesOf([ino]);
      return [name.toString(), attributes!.mountedDataset] as [string, number];
    }),
  );
  return entries.sort();
}
