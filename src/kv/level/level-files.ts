// The files of a LevelDB database, looked at from outside.

import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreAbsent } from '../ignore-absent.ts';
import { readLog } from './log-file.ts';
import { firstLog, liveTables } from './manifest.ts';
import { FENCE, type ReadAt, type TableDamage, tableDamages } from './table-file.ts';

const WINDOW_BYTES = 256 << 10;

export interface LogDamage {
  readonly file: string;
  readonly at: number;
  readonly goodBytes: number;
  /** Of this log and of those begun after it. */
  readonly lostBytes: number;
  readonly isMissing?: boolean;
}

/** The log that the manifest names, when it is not there: those begun after it do not follow what is in the tables. */
export async function findLostLog(directory: string): Promise<LogDamage | undefined> {
  const first = await firstLog(directory);
  if (first === undefined) return undefined;
  const numbers = (await filesOf(directory, '.log')).map((name) => Number.parseInt(name, 10));
  if (numbers.includes(first)) return undefined;
  const file = `${String(first).padStart(6, '0')}.log`;
  return { file, at: 0, goodBytes: 0, lostBytes: 0, isMissing: true };
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

export interface TableFinding extends TableDamage {
  readonly file: string;
}

/**
 * Damaged blocks of the tables; undefined after every block, for the caller to pace.
 *
 * Each is fenced off before it is told. LevelDB does not verify what it reads: it would take damaged keys for keys, copy
 * them into new tables with right checksums, or end the process by an assertion. A fenced block it refuses, with an error;
 * a fenced filter it does without. So reading on is safe, also while LevelDB has the tables open.
 *
 * @param which `live`: what the manifest lists; others may be half written, by a LevelDB that runs or one that was killed.
 *   `all` is for LevelDB's repair, which reads all: of those too it fences only what a whole footer leads to
 */
export async function* checkTables(
  directory: string,
  which: 'live' | 'all' = 'live',
): AsyncGenerator<TableFinding | undefined> {
  // Before the names: a table that is listed and not there has been replaced by then.
  const live = which === 'live' ? await liveTables(directory) : undefined;
  for (const suffix of ['.ldb', '.sst']) {
    for (const file of await filesOf(directory, suffix)) {
      const listedBytes = live?.get(Number.parseInt(file, 10));
      if (live && listedBytes === undefined) continue;
      const path = join(directory, file);
      for await (const damage of checkTable(path, listedBytes)) {
        if (damage?.fenceAt !== undefined) await fenceOff(path, damage.fenceAt);
        yield damage && { file, ...damage };
      }
    }
  }
}

async function* checkTable(
  path: string,
  listedBytes: number | undefined,
): AsyncGenerator<TableDamage | undefined> {
  const file = await open(path, 'r').catch(ignoreAbsent);
  // A compaction has replaced it meanwhile.
  if (!file) return;
  try {
    // LevelDB looks for the footer where the manifest says that the table ends. What is behind that means nothing, and of
    // a table that is shorter nothing is known, nor fenced.
    const { size } = await file.stat();
    yield* tableDamages(windowed(file, size), listedBytes ?? size);
  } finally {
    await file.close();
  }
}

/** Reads a table, a window at a time: its blocks are asked for one behind the other, and each trip to the disk is 50 µs. */
function windowed(file: FileHandle, fileBytes: number): ReadAt {
  let window: Buffer = Buffer.alloc(0);
  let windowAt = 0;
  return async (offset, length) => {
    const wanted = Math.max(0, Math.min(length, fileBytes - offset));
    if (offset < windowAt || offset + wanted > windowAt + window.length) {
      const bytes = Math.min(Math.max(wanted, WINDOW_BYTES), fileBytes - offset);
      // A sector that the disk cannot read hurts the block that it is in, and no other.
      window =
        (await readable(file, offset, bytes)) ?? (await readable(file, offset, wanted)) ?? Buffer.alloc(0);
      windowAt = offset;
    }
    return window.subarray(offset - windowAt, offset - windowAt + wanted);
  };
}

/** Undefined where the disk cannot read. */
async function readable(file: FileHandle, offset: number, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(Math.max(0, length));
  try {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
    return undefined;
  }
}

async function fenceOff(path: string, at: number): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      const byte = Buffer.alloc(1);
      const { bytesRead } = await file.read(byte, 0, 1, at);
      if (bytesRead === 0 || byte[0] === FENCE) return;
      await file.write(Buffer.of(FENCE), 0, 1, at);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // What the disk cannot read needs no fence; a table that has been replaced meanwhile neither.
    if (!['EIO', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Whether a directory is there with anything of a database in it. What a start that failed may leave there is nothing. */
export async function hasDatabase(directory: string): Promise<boolean> {
  const names = (await readdir(directory).catch(ignoreAbsent)) ?? [];
  return names.some((name) => /^CURRENT$|^MANIFEST-|\.(ldb|sst|log)$/.test(name));
}

/** By number: in the order in which they were begun. */
export async function filesOf(directory: string, suffix: string): Promise<string[]> {
  const names = (await readdir(directory).catch(ignoreAbsent)) ?? [];
  return names
    .filter((name) => name.endsWith(suffix))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}
