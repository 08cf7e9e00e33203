// Opens LevelDB, or says why not. LevelDB by itself opens more than it should: it passes over a damaged batch in its log
// and keeps those behind it, and takes a damaged length in its manifest for the end, then deletes the tables that it no
// longer knows. So both are looked through first, and whether the log is there at all. So are the tables, for damage may
// end the process: when the last run did not end by itself, which the file OPEN beside them tells, and whenever that is
// quick.

import { existsSync } from 'node:fs';
import { open as openFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { syncDirectory } from '../sync-directory.ts';
import { inaccessible, VolumeError } from '../volume-error.ts';
import { cutLogs } from './cut-logs.ts';
import { checkTables, findLogDamage, findLostLog, type LogDamage, type TableFinding } from './level-files.ts';
import { findManifestDamage, liveTables, type ManifestDamage } from './manifest.ts';

/** The types of `level` are what Node and browsers share; on Node it is LevelDB, which can compact on request. */
export type Database = Level<Buffer, Buffer> & { compactRange(start: Buffer, end: Buffer): Promise<void> };

export interface OpenSettings {
  readonly cacheBytes: number;
  readonly writeBufferBytes: number;
  readonly create: boolean;
  readonly repair: boolean;
}

export interface OpenedDatabase {
  readonly database: Database;
  /** Found in the tables, and fenced off. */
  readonly damage: readonly TableFinding[];
  /** Blocks were given up and no log was cut: of what was in them older rows may have come back. */
  readonly hasOldRows: boolean;
}

const OPEN_MARK = 'OPEN';
/** Verified in half a second. */
const QUICK_BYTES = 128 * 2 ** 20;

/** On Node `Level` is classic-level's class, with what only LevelDB can. */
interface Repairing {
  repair(location: string): Promise<void>;
}

/** @throws VolumeError */
export async function openDatabase(location: string, settings: OpenSettings): Promise<OpenedDatabase> {
  const { repair } = settings;
  const hasLostChanges = existsSync(location) && (await mendLists(location, repair));
  const damage = existsSync(location) ? await fenceTables(location) : [];
  // Copies what can be read of a damaged table into a new one. A filter, LevelDB does without.
  const givesUp = repair && damage.some(({ what }) => what !== 'filter' && what !== 'metaindex');
  if (givesUp) await rebuild(location);
  const hasOldRows = givesUp && !hasLostChanges;
  try {
    return { database: await open(location, settings), damage, hasOldRows };
  } catch (error) {
    const failure = openFailure(location, error);
    if (failure.code !== 'DAMAGED' || !repair) throw failure;
  }
  await rebuild(location);
  const database = await open(location, settings).catch((error: unknown) => {
    throw openFailure(location, error);
  });
  return { database, damage, hasOldRows };
}

async function open(location: string, settings: OpenSettings): Promise<Database> {
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
  const database = new Level<Buffer, Buffer>(location, encodings) as Database;
  await database.open({
    createIfMissing: settings.create,
    cacheSize: settings.cacheBytes,
    writeBufferSize: settings.writeBufferBytes,
    compression: true,
  });
  return database;
}

/** Closes what {@link openDatabase} has opened. */
export async function closeDatabase(database: Database): Promise<void> {
  await database.close();
  await rm(join(database.location, OPEN_MARK), { force: true });
}

/** The logs and the manifest, which lists the tables. True when changes in logs have been given up. */
async function mendLists(location: string, repair: boolean): Promise<boolean> {
  const log = (await findLostLog(location)) ?? (await findLogDamage(location));
  const manifest = await findManifestDamage(location);
  if (!log && !manifest) return false;
  // A log that another process writes may look damaged, and must not be touched.
  await refuseUsed(location);
  if (!repair) throw listsDamaged(location, log, manifest);
  if (log) await cutLogs(location, log);
  if (manifest) await rebuild(location);
  return log !== undefined;
}

function listsDamaged(
  location: string,
  log: LogDamage | undefined,
  manifest: ManifestDamage | undefined,
): VolumeError {
  const hurt: string[] = [];
  const lost: string[] = [];
  if (log?.isMissing) {
    hurt.push(`its log ${log.file} is missing`);
    lost.push('the changes that were in the log');
  } else if (log) {
    hurt.push(`its log ${log.file} is damaged at byte ${log.at}`);
    lost.push(`the changes in the last ${log.lostBytes} bytes of the log, from the damage on`);
  }
  if (manifest) {
    hurt.push(`its ${manifest.file} ${manifest.problem}`);
    lost.push('whatever is in no table and no log that can be read');
  }
  const advice = log?.isMissing ? 'Bring it back, restore' : 'Restore';
  return new VolumeError(
    'DAMAGED',
    `Cannot open ${location}: ${hurt.join(', and ')}. ${advice} the data directory from a backup, or start with --repair:` +
      ` that would lose ${lost.join(', and ')}`,
    { mendable: true },
  );
}

/**
 * Looks the tables through where that is due, before LevelDB reads them.
 *
 * Nobody holds the lock here: LevelDB takes it when it opens the database, and that would be too late. So a process that
 * begins to use the directory behind the probe is not noticed before the open fails. All that has been written by then is
 * the mark, for which that process' next start is slower at most, and bytes of blocks that are damaged on the disk, in
 * tables that the manifest lists: never of one that is being written.
 */
async function fenceTables(location: string): Promise<TableFinding[]> {
  await refuseUsed(location);
  const mark = join(location, OPEN_MARK);
  const isMarked = existsSync(mark);
  const found: TableFinding[] = [];
  if (isMarked || (await tableBytes(location)) <= QUICK_BYTES) {
    for await (const damage of checkTables(location)) if (damage) found.push(damage);
  }
  if (!isMarked) await makeMark(mark, location);
  return found;
}

/** Durably: the power may go as well as the process may end. */
async function makeMark(mark: string, location: string): Promise<void> {
  const file = await openFile(mark, 'w');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(location);
}

async function tableBytes(location: string): Promise<number> {
  let bytes = 0;
  for (const size of (await liveTables(location)).values()) bytes += size;
  return bytes;
}

/** @throws VolumeError `IN_USE` */
async function refuseUsed(location: string): Promise<void> {
  const probe = new Level(location);
  try {
    // Never opens: takes the lock, and then either there is no database or it exists.
    await probe.open({ createIfMissing: false, errorIfExists: true });
  } catch (error) {
    const failure = openFailure(location, error);
    if (failure.code === 'IN_USE') throw failure;
  }
}

/** Makes a new manifest of the tables and logs, as far as they can be read. */
async function rebuild(location: string): Promise<void> {
  await refuseUsed(location);
  // It reads all tables, listed or not.
  for await (const _ of checkTables(location, 'all'));
  await (Level as unknown as Repairing).repair(location).catch((error: unknown) => {
    throw openFailure(location, error);
  });
}

function openFailure(location: string, error: unknown): VolumeError {
  const cause = ((error as Error).cause ?? error) as Error & { code?: string };
  if (cause.code === 'LEVEL_LOCKED') {
    return new VolumeError(
      'IN_USE',
      `Cannot open ${location}: another process has it open. Stop that process, or choose another --data-dir`,
      { cause },
    );
  }
  if (cause.code === 'LEVEL_CORRUPTION' || cause.message.includes('does not exist')) {
    return new VolumeError(
      'DAMAGED',
      `Cannot open ${location}: its log or manifest is damaged (${cause.message}). Restore it from a backup, or start` +
        ' with --repair: that would lose what was written last, and whatever else the damage has made unreadable',
      { cause, mendable: true },
    );
  }
  return inaccessible(location, cause);
}
