// The files of a LevelDB database, looked at from outside.

import { open, readdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLog } from './log-file.ts';
import { type TableDamage, tableDamages } from './table-file.ts';

export interface LogDamage {
  readonly file: string;
  readonly at: number;
  readonly goodBytes: number;
  /** Of this log and of those begun after it. */
  readonly lostBytes: number;
}

/** The first damage in the logs, in the order in which they were written; undefined when there is none. */
export async function findLogDamage(directory: string): Promise<LogDamage | undefined> {
  const logs = await filesOf(directory, '.log');
  for (let at = 0; at < logs.length; at++) {
    const file = logs[at]!;
    const { goodBytes, damage } = readLog(await readFile(join(directory, file)));
    if (!damage) continue;
    let { lostBytes } = damage;
    for (const later of logs.slice(at + 1)) lostBytes += (await readFile(join(directory, later))).length;
    return { file, at: damage.at, goodBytes, lostBytes };
  }
  return undefined;
}

export interface ManifestDamage {
  readonly file: string;
  /** What is wrong with it: a predicate. */
  readonly problem: string;
}

/** Of the manifest that LevelDB would read, or of the file that names it; a tail cut short was never acted upon. */
export async function findManifestDamage(directory: string): Promise<ManifestDamage | undefined> {
  const current = await readIfThere(join(directory, 'CURRENT'));
  if (!current) return undefined;
  const [, name] = /^(MANIFEST-\d+)\n$/.exec(current.toString('latin1')) ?? [];
  if (!name) return { file: 'CURRENT', problem: 'names no manifest' };
  const manifest = await readIfThere(join(directory, name));
  if (!manifest) return { file: 'CURRENT', problem: `names ${name}, which is not there` };
  const { damage } = readLog(manifest);
  return damage && { file: name, problem: `is damaged at byte ${damage.at}` };
}

/**
 * Ends the logs where the damage begins, so that what is left is a state that the volume once had. The damaged files
 * stay beside them, as NAME.damaged.
 */
export async function cutLogs(directory: string, { file, goodBytes }: LogDamage): Promise<void> {
  const logs = await filesOf(directory, '.log');
  for (const log of logs.slice(logs.indexOf(file))) {
    const path = join(directory, log);
    const bytes = await readFile(path);
    await rename(path, `${path}.damaged`);
    await writeFile(path, bytes);
    await truncate(path, log === file ? goodBytes : 0);
  }
}

export interface TableFinding extends TableDamage {
  readonly file: string;
}

/** Damaged blocks of all tables; undefined after every block, for the caller to pace. */
export async function* checkTables(directory: string): AsyncGenerator<TableFinding | undefined> {
  for (const suffix of ['.ldb', '.sst']) {
    for (const file of await filesOf(directory, suffix)) {
      for await (const damage of checkTable(join(directory, file))) yield damage && { file, ...damage };
    }
  }
}

async function* checkTable(path: string): AsyncGenerator<TableDamage | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    // A compaction has replaced it meanwhile.
    if (error.code !== 'ENOENT') throw error;
  });
  if (!file) return;
  try {
    const { size } = await file.stat();
    const read = async (offset: number, length: number) => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
      try {
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        return bytes.subarray(0, bytesRead);
      } catch (error) {
        // A sector that the disk cannot read hurts the block that it is in, and no other.
        if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
        return bytes.subarray(0, 0);
      }
    };
    yield* tableDamages(read, size);
  } finally {
    await file.close();
  }
}

/** By number: in the order in which they were begun. */
async function filesOf(directory: string, suffix: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(suffix));
  return names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
}
