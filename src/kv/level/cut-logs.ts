// Gives up what is behind damage in the logs, in steps that each leave a directory that is refused or whole: whenever the
// power goes, a start without --repair finds the damage still there, or nothing of the good part missing.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceDurably } from '../durable-file.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
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
  // By way of PATH.next, which LevelDB takes for no file of its own.
  replace: ReplaceFile = replaceDurably,
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

/** −1 when there is no such file. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path).catch(ignoreAbsent);
  return found?.size ?? -1;
}
