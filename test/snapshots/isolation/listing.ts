// Everything that a mount shows: each path with all its attributes, its target and a hash of its bytes.

import { createHash } from 'node:crypto';
import type { Nfs3Client } from '../../nfs/nfs3/nfs3-client.ts';

const DIRECTORY = 2;
const FILE = 1;
const LINK = 5;
const PAGE_BYTES = 65_536;
const READ_BYTES = 2 ** 19;

export type Listing = Readonly<Record<string, object>>;

export async function listing(client: Nfs3Client, root: Buffer): Promise<Listing> {
  const found: Record<string, object> = {};
  const visit = async (path: string, handle: Buffer): Promise<void> => {
    const { attributes } = await client.getattr(handle);
    if (!attributes) throw new Error(`${path} is listed and has no attributes`);
    found[path] = { ...attributes, ...(await contentOf(client, handle, attributes.type)) };
    if (attributes.type !== DIRECTORY) return;
    for (const name of await namesIn(client, handle))
      await visit(`${path}/${name}`, (await client.lookup(handle, name)).handle);
  };
  await visit('', root);
  return found;
}

async function contentOf(client: Nfs3Client, handle: Buffer, type: number): Promise<object> {
  if (type === LINK) return { target: String((await client.readlink(handle)).target) };
  if (type !== FILE) return {};
  const hash = createHash('sha256');
  for (let offset = 0n; ; ) {
    const { data, eof } = await client.read(handle, offset, READ_BYTES);
    hash.update(data);
    offset += BigInt(data.length);
    if (eof) return { sha256: hash.digest('hex') };
  }
}

async function namesIn(client: Nfs3Client, directory: Buffer): Promise<string[]> {
  const names: string[] = [];
  for (let cookie = 0n; ; ) {
    const { entries, eof } = await client.readdir(directory, cookie, PAGE_BYTES);
    names.push(...entries.map(({ name }) => name));
    if (eof) return names.filter((name) => name !== '.' && name !== '..');
    cookie = entries.at(-1)!.cookie;
  }
}
