// A copy of the two rows without which nothing of a volume can be read: a damaged block of LevelDB must not take all files
// with it. It lies beside the marker, is kept equal to the rows at each start, and is read by a repair only.
//
//   VOLUME := "cairn volume 1\n" formatBytes:u32 format volumeBytes:u32 volume crc32:u32
//
// Integers are big-endian; `format` and `volume` are the values of those SYSTEM rows, and the CRC covers all before it. The
// keys of the volume are in it: nobody but its owner may read it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from '@node-rs/crc32';
import { replaceDurably } from './durable-file.ts';
import { ignoreAbsent } from './ignore-absent.ts';
import { keys } from './keys.ts';
import type { MetaStore, Write } from './meta-store.ts';

const NAME = 'VOLUME';
const MAGIC = Buffer.from('cairn volume 1\n');
const ROWS = ['format', 'volume'] as const;

/** Makes the copy, where it is not what it should be. @param meta a volume that can be read */
export async function keepVolumeCopy(directory: string, meta: MetaStore): Promise<void> {
  const values = await meta.fetch(ROWS.map((name) => keys.system.key(name)));
  const wanted = encode(values as Buffer[]);
  const path = join(directory, NAME);
  const found = await readFile(path).catch(ignoreAbsent);
  if (!found?.equals(wanted)) await replaceDurably(path, wanted);
}

/** The rows, as they were at the last start; undefined where there is no copy, or it is damaged. */
export async function readVolumeCopy(directory: string): Promise<Write[] | undefined> {
  const bytes = await readFile(join(directory, NAME)).catch(ignoreAbsent);
  if (!bytes || bytes.length < MAGIC.length + 4 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const end = bytes.length - 4;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;
  let at = MAGIC.length;
  return ROWS.map((name) => {
    const valueAt = at + 4;
    at = valueAt + bytes.readUInt32BE(at);
    return { key: keys.system.key(name), value: bytes.subarray(valueAt, at) };
  });
}

function encode(values: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [MAGIC];
  for (const value of values) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(value.length);
    parts.push(head, value);
  }
  const body = Buffer.concat(parts);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([body, sum]);
}
