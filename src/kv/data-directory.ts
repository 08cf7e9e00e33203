// The directory D that holds a volume on this machine:
//
//   D/CAIRN       the marker: "cairn data directory, format F, STATE\n" and a sentence for people.
//                 STATE is `new` until everything below was made durably once, then `ready`
//   D/meta        LevelDB, whose lock also keeps a second process out of all of D
//   D/journal     batches that are not in LevelDB yet
//   D/segments    segment files
//   D/VOLUME      a copy of the rows without which nothing can be opened (volume-copy.ts)
//
// A start that finds `new` makes what is missing, so one that was cut short is finished by the next. Once it is `ready`
// nothing is made any more: what is missing then (a disk not mounted, a directory deleted) is damage, not a new volume.

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock, Random } from '../clock.ts';
import { replaceDurably, writeDurably } from './durable-file.ts';
import { FileSegmentStore } from './file-segment-store.ts';
import {
  addJournalFeatures,
  createFormat,
  FORMAT_VERSION,
  hasFormat,
  journalFeatures,
  openFormat,
  type VolumeFormat,
} from './format.ts';
import { ignoreAbsent } from './ignore-absent.ts';
import { JournaledMetaStore } from './journaled-meta-store.ts';
import { hasDatabase, type TableFinding } from './level/level-files.ts';
import { LevelMetaStore, type LevelSettings } from './level-meta-store.ts';
import { mendIdentity, mendRunRows } from './mend-format.ts';
import type { MetaStore } from './meta-store.ts';
import type { SegmentStore } from './segment-store.ts';
import { syncDirectory } from './sync-directory.ts';
import { keepVolumeCopy } from './volume-copy.ts';
import { inaccessible, VolumeError } from './volume-error.ts';

export interface DataDirectorySettings extends Omit<LevelSettings, 'create'> {
  /** Bytes of segments that the system is trusted to keep in memory. */
  readonly warmBytesMax: number;
  /** As in {@link JournalSettings}. */
  readonly isThreadFree?: () => boolean;
}

export interface DataDirectory {
  readonly meta: MetaStore;
  readonly segments: SegmentStore;
  readonly format: VolumeFormat;
  /** Where LevelDB's files are. */
  readonly metaPath: string;
  /** What was found in LevelDB's tables before they were opened; with `repair` it has been given up. */
  readonly damage: readonly TableFinding[];
  /** Closes both stores; {@link VolumeFormat.markClean} comes before it. */
  close(): Promise<void>;
}

type State = 'absent' | 'cut short' | 'new' | 'ready';

const MARKER = 'CAIRN';
/** What a new data directory may hold: a file system's own. */
const HARMLESS = ['lost+found'];

/** Where LevelDB's files are in a data directory. */
export function metaPathIn(path: string): string {
  return join(path, 'meta');
}

/** @throws VolumeError */
export async function openDataDirectory(
  path: string,
  settings: DataDirectorySettings,
  random: Random,
  clock: Clock,
): Promise<DataDirectory> {
  const directory = resolve(path);
  try {
    return await openDirectory(directory, settings, random, clock);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall ? inaccessible(directory, error) : error;
  }
}

async function openDirectory(
  directory: string,
  settings: DataDirectorySettings,
  random: Random,
  clock: Clock,
): Promise<DataDirectory> {
  const firstMade = await makeWithParents(directory);
  const found = await readState(directory);
  if (found === 'absent' || found === 'cut short') await beginMarker(directory, found);
  if (found === 'absent') await syncParents(directory, firstMade ?? directory);
  if (found !== 'ready') await makeDirectories(directory);
  // A repair as well: LevelDB would make an empty database there.
  else if (!(await hasDatabase(metaPathIn(directory)))) throw metaMissing(directory);
  const level = await LevelMetaStore.open(join(directory, 'meta'), {
    ...settings,
    create: found !== 'ready',
  });
  const { repair = false, isThreadFree } = settings;
  let meta: MetaStore = level;
  let segments: SegmentStore | undefined;
  try {
    if (found !== 'ready') {
      // Only with the lock is nobody else here: another process may have finished the directory since it was looked at.
      if (!(await hasFormat(level))) await createFormat(level, random);
      await syncDirectory(join(directory, 'meta'));
      await finishMarker(directory);
    }
    if (repair) await mendIdentity(level, directory);
    const { hasJournal: required, saysApplied } = await journalFeatures(level);
    const journal = { clock, required, saysApplied, repair, isThreadFree, random };
    meta = await JournaledMetaStore.open(level, join(directory, 'journal'), journal);
    if (!required || !saysApplied) await addJournalFeatures(level);
    const opened = await openSegments(directory, settings);
    segments = opened;
    if (repair) await mendRunRows(meta, opened, random);
    const format = await openFormat(meta, random);
    await keepVolumeCopy(directory, meta);
    return {
      meta,
      segments: opened,
      format: {
        ...format,
        async addSpaceAccounting() {
          await format.addSpaceAccounting();
          await keepVolumeCopy(directory, meta);
        },
      },
      metaPath: metaPathIn(directory),
      damage: level.damage,
      async close() {
        await opened.close();
        await meta.close();
      },
    };
  } catch (error) {
    await segments?.close();
    await meta.close();
    throw error;
  }
}

/**
 * Answers the first that had to be made. Not by `recursive`: where all above is there and the system says ENOENT
 * nevertheless, as in /proc, Node tries for ever.
 */
async function makeWithParents(directory: string): Promise<string | undefined> {
  const missing: string[] = [];
  let at = directory;
  for (; ; at = dirname(at)) {
    const found = await stat(at).catch(ignoreAbsentOrBelowFile);
    if (found?.isDirectory()) break;
    if (found) throw unusable(directory, `${at} is a file, not a directory`);
    missing.unshift(at);
  }
  for (const path of missing) await makeOne(directory, path);
  return missing[0];
}

async function makeOne(directory: string, path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw unusable(directory, `nothing can be made in ${dirname(path)}`);
    // Another process has made it meanwhile.
    if (code !== 'EEXIST') throw error;
  }
}

function unusable(directory: string, reason: string): VolumeError {
  return new VolumeError('INACCESSIBLE', `Cannot use ${directory}: ${reason}. Choose another --data-dir`);
}

async function openSegments(directory: string, settings: DataDirectorySettings): Promise<SegmentStore> {
  const path = join(directory, 'segments');
  if (await isAbsent(path)) {
    throw new VolumeError(
      'DAMAGED',
      `Cannot open ${directory}: ${path}, which holds the data of files, is missing. Bring it back, or restore the` +
        ' data directory from a backup',
    );
  }
  return FileSegmentStore.open(path, settings);
}

function metaMissing(directory: string): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open ${directory}: ${metaPathIn(directory)}, which holds the names and attributes of files, is missing or has` +
      ' no database in it. Bring it back (is a disk not mounted?), or restore the data directory from a backup',
  );
}

async function makeDirectories(directory: string): Promise<void> {
  for (const name of ['meta', 'segments'])
    await mkdir(join(directory, name), { recursive: true, mode: 0o700 });
  await syncDirectory(directory);
}

async function readState(directory: string): Promise<State> {
  const text = await readFile(join(directory, MARKER), 'utf8').catch(ignoreAbsent);
  if (text === undefined) {
    await refuseForeign(directory);
    return 'absent';
  }
  const [, format, state] = /^cairn data directory, format (\d+), (new|ready)\n/.exec(text) ?? [];
  if (format && Number(format) > FORMAT_VERSION) {
    throw new VolumeError(
      'UNKNOWN_FORMAT',
      `Cannot open ${directory}: it has format ${format}, and this version of Cairn knows formats up to` +
        ` ${FORMAT_VERSION}. Start the newer version of Cairn that it was used with last`,
    );
  }
  if (state) return state as State;
  // The marker is durable before anything else is made, so one that was cut short stands alone.
  if (marker('new').startsWith(text) && (await isAbsent(join(directory, 'meta')))) return 'cut short';
  throw markerDamaged(directory, 'is damaged');
}

function markerDamaged(directory: string, state: string): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open ${directory}: its file ${MARKER} ${state}. If this is a data directory of Cairn, write the line` +
      ` "${firstLine('ready')}" into that file; else choose another --data-dir`,
  );
}

async function refuseForeign(directory: string): Promise<void> {
  // A marker that is there now is another process's, which is making the directory; its lock will decide.
  const files = (await readdir(directory)).filter((name) => !HARMLESS.includes(name)).sort();
  if (files.length === 0 || files.includes(MARKER)) return;
  if (await hasDatabase(metaPathIn(directory))) throw markerDamaged(directory, 'is missing');
  const some = files.slice(0, 3).join(', ') + (files.length > 3 ? ', …' : '');
  throw new VolumeError(
    'NOT_OURS',
    `Cannot use ${directory}: it has files (${some}) but no file ${MARKER}, so it is no data directory of Cairn.` +
      ' Choose an empty or a new directory with --data-dir',
  );
}

async function beginMarker(directory: string, found: 'absent' | 'cut short'): Promise<void> {
  try {
    // Not over a marker that another process has made meanwhile.
    await writeDurably(join(directory, MARKER), found === 'absent' ? 'wx' : 'r+', marker('new'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await syncDirectory(directory);
}

async function finishMarker(directory: string): Promise<void> {
  await replaceDurably(join(directory, MARKER), marker('ready'));
}

function firstLine(state: 'new' | 'ready'): string {
  return `cairn data directory, format ${FORMAT_VERSION}, ${state}`;
}

function marker(state: 'new' | 'ready'): string {
  return `${firstLine(state)}\nThis directory belongs to the Cairn file server: change nothing in it by hand.\n`;
}

/** Makes the names of `directory` and of those above it durable, up to the first that was made. */
async function syncParents(directory: string, firstMade: string): Promise<void> {
  for (let made = directory; made.length >= firstMade.length; made = dirname(made)) {
    await syncDirectory(dirname(made)).catch((error: NodeJS.ErrnoException) => {
      // A parent that may not be read was not made here: its owner answers for the name in it.
      if (error.code !== 'EACCES') throw error;
    });
  }
}

async function isAbsent(path: string): Promise<boolean> {
  return (await stat(path).catch(ignoreAbsent)) === undefined;
}

function ignoreAbsentOrBelowFile(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOTDIR') ignoreAbsent(error);
}
