// Everything that a file system shows: every path with its attributes, its target and its bytes.

import type { Eventual } from '../../../src/eventual.ts';
import {
  type Caller,
  type Cookie,
  type FileSystem,
  FileType,
  type NodeRef,
} from '../../../src/fs/file-system.ts';
import { shown } from '../ops/test-dataset.ts';
import { BLOCK_BYTES, BLOCK_BYTES_WRITTEN, runs } from './file-model.ts';

export const SUPERUSER: Caller = { uid: 0, gid: 0, groups: [] };
/** Less than there is in most directories, so that listings take several pages. */
const PAGE_ENTRIES = 3;

export interface Seen {
  readonly attributes: ReturnType<typeof shown>;
  readonly target: string | null;
  /** By block, those that are not all zeros, as {@link runs}. */
  readonly blocks: Readonly<Record<number, string>>;
}

export type Walk = ReadonlyMap<string, Seen>;

export async function walk(fileSystem: FileSystem): Promise<Walk> {
  const seen = new Map<string, Seen>();
  const visit = async (path: string, ino: number): Promise<void> => {
    const [attributes] = await answered(() => fileSystem.attributesOf([ino]));
    if (!attributes) throw new Error(`${path} leads to inode ${ino}, which is not there`);
    const isLink = attributes.type === FileType.symlink;
    const link = isLink ? await answered(() => fileSystem.readlink(SUPERUSER, attributes)) : null;
    const isFile = attributes.type === FileType.file;
    seen.set(path, {
      attributes: shown(attributes),
      target: link && String(link.target),
      blocks: isFile ? await blocksOf(fileSystem, attributes, attributes.size) : {},
    });
    if (attributes.type !== FileType.directory) return;
    for (const entry of await list(fileSystem, attributes)) {
      const found = await answered(() => fileSystem.lookup(SUPERUSER, attributes, entry.name));
      if (found?.ino !== entry.ino) throw new Error(`${path}/${entry.name} is listed as inode ${entry.ino}`);
      await visit(`${path}/${entry.name}`, entry.ino);
    }
  };
  await visit('', (await answered(() => fileSystem.root())).ino);
  return seen;
}

async function list(fileSystem: FileSystem, directory: NodeRef) {
  const entries = [];
  let after: Cookie = { high: 0, low: 0 };
  for (;;) {
    const from = after;
    const page = await answered(() => fileSystem.readdir(SUPERUSER, directory, from, PAGE_ENTRIES));
    entries.push(...page.entries);
    const last = entries.at(-1);
    if (page.end || !last) return entries;
    after = { high: last.cookieHigh, low: last.cookieLow };
  }
}

async function blocksOf(
  fileSystem: FileSystem,
  node: NodeRef,
  size: number,
): Promise<Record<number, string>> {
  const blocks: Record<number, string> = {};
  for (let block = 0; block * BLOCK_BYTES < size; block++) {
    const { buffers } = await answered(() =>
      fileSystem.read(SUPERUSER, node, block * BLOCK_BYTES, BLOCK_BYTES_WRITTEN),
    );
    const text = runs(Buffer.concat(buffers).toString('latin1'));
    if (text) blocks[block] = text;
  }
  return blocks;
}

/** A throw in the same turn becomes a rejection like a later one. */
export async function answered<T>(answer: () => Eventual<T>): Promise<T> {
  return answer();
}
