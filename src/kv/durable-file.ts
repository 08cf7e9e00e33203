// Small files that are on stable storage when they are said to be written.

import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

/** For its owner only. */
export async function writeDurably(
  path: string,
  flags: 'w' | 'wx' | 'r+',
  content: string | Buffer,
): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The file is the old one or the new one, whenever the power goes. */
export async function replaceDurably(path: string, content: string | Buffer): Promise<void> {
  await writeDurably(`${path}.next`, 'w', content);
  await rename(`${path}.next`, path);
  await syncDirectory(dirname(path));
}
