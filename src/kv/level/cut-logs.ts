// Gives up what is behind damage in the logs, in steps that each leave a directory that is refused or whole: whenever the
// power goes, a start without --repair finds the damage still there, or nothing of the good part missing.

import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../sync-directory.ts';
import { filesOf, type LogDamage } from './level-files.ts';

/** Makes a file of these bytes, or replaces one, at once and durably. */
export type ReplaceFile = (path: string, bytes: Buffer) => Promise<void>;

/**
 * Ends the logs where the damage begins, so that what is left is a state that the volume once had. The damaged files
 * stay beside them, as NAME.damaged. Of one that is missing, those begun after it end.
 */
export async function cutLogs(
  directory: string,
  { file, goodBytes }: LogDamage,
  replace: ReplaceFile = replaceFile,
): Promise<void> {
  const hurt = Number.parseInt(file, 10);
  const logs = (await filesOf(directory, '.log')).filter((log) => Number.parseInt(log, 10) >= hurt);
  // The last one first: without the damage, LevelDB would take those behind it for what follows the good part.
  for (const log of logs.reverse()) {
    const path = join(directory, log);
    const bytes = await readFile(path);
    const copy = `${path}.damaged`;
    // An attempt that was interrupted may have cut this one already. A number is never given to another log.
    if ((await bytesOf(copy)) < bytes.length) await replace(copy, bytes);
    await replace(path, bytes.subarray(0, log === file ? goodBytes : 0));
  }
}

/** By way of PATH.new, which LevelDB takes for no file of its own. */
async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  const made = `${path}.new`;
  const file = await open(made, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(made, path);
  await syncDirectory(dirname(path));
}

/** −1 when there is no such file. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  return found?.size ?? -1;
}
