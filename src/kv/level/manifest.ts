// LevelDB's manifest, which lists the tables. CURRENT names it; it has the format of a log (log-file.ts), and each of its
// records is an edit of the list:
//
//   edit  := field*                        field := tag value; tags, levels, numbers and lengths are varints
//   tag 1 := comparator:bytes              bytes := length data{length}
//   tag 2, 9, 3, 4 := number               of the log, the log before it, the next file, the last sequence
//   tag 5 := level key:bytes               where the next compaction begins
//   tag 6 := level number                  a table is no longer part of the database
//   tag 7 := level number size smallest:bytes largest:bytes
//
// A table is synced before an edit adds it. So one that is listed is complete and never changes, while another file may be
// one that LevelDB is writing just now, or was when it was killed.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreAbsent } from '../ignore-absent.ts';
import { readLog, recordsOf } from './log-file.ts';
import { VarintReader } from './varint-reader.ts';

export interface ManifestDamage {
  readonly file: string;
  /** What is wrong with it: a predicate. */
  readonly problem: string;
}

/** Of the manifest that LevelDB would read, or of the file that names it; a tail cut short was never acted upon. */
export async function findManifestDamage(directory: string): Promise<ManifestDamage | undefined> {
  const current = await readIfThere(join(directory, 'CURRENT'));
  if (!current) return undefined;
  const name = manifestNamedIn(current);
  if (!name) return { file: 'CURRENT', problem: 'names no manifest' };
  const manifest = await readIfThere(join(directory, name));
  if (!manifest) return { file: 'CURRENT', problem: `names ${name}, which is not there` };
  const { damage } = readLog(manifest);
  return damage && { file: name, problem: `is damaged at byte ${damage.at}` };
}

/**
 * The bytes of each table of the database, by its number; of none when there is no manifest. Also while LevelDB uses the
 * directory: then of some time during the call. Where the manifest is damaged, those that it lists before the damage.
 */
export async function liveTables(directory: string): Promise<ReadonlyMap<number, number>> {
  const manifest = await readManifest(directory);
  return listed(manifest).tables;
}

/**
 * The number of the log that LevelDB will begin with; undefined when there is none. It made that log, and its name durable,
 * before the manifest named it.
 */
export async function firstLog(directory: string): Promise<number | undefined> {
  return listed(await readManifest(directory)).log || undefined;
}

interface Listed {
  /** Bytes by number. */
  readonly tables: Map<number, number>;
  log: number;
}

function listed(manifest: Buffer | undefined): Listed {
  const list: Listed = { tables: new Map(), log: 0 };
  for (const record of recordsOf(manifest ?? Buffer.alloc(0))) if (!applyEdit(list, record)) break;
  return list;
}

async function readManifest(directory: string): Promise<Buffer | undefined> {
  let last: string | undefined;
  for (;;) {
    const current = await readIfThere(join(directory, 'CURRENT'));
    const name = current && manifestNamedIn(current);
    // Whoever opens the database makes a new manifest and then deletes the old one; but it may be gone altogether.
    if (!name || name === last) return undefined;
    const manifest = await readIfThere(join(directory, name));
    if (manifest) return manifest;
    last = name;
  }
}

/** False, with nothing changed, when it is no edit. */
function applyEdit(list: Listed, edit: Buffer): boolean {
  const reader = new VarintReader(edit);
  const skipBytes = () => reader.take(reader.varint());
  const gone: number[] = [];
  const added: [number: number, bytes: number][] = [];
  let log: number | undefined;
  while (!reader.atEnd) {
    const tag = reader.varint();
    if (tag === 1) skipBytes();
    else if (tag === 2) log = reader.varint();
    else if (tag === 3 || tag === 4 || tag === 9) reader.varint();
    else if (tag === 5 || tag === 6 || tag === 7) {
      reader.varint();
      if (tag === 5) skipBytes();
      else if (tag === 6) gone.push(reader.varint());
      else {
        added.push([reader.varint(), reader.varint()]);
        skipBytes();
        skipBytes();
      }
    } else return false;
  }
  if (reader.isShort) return false;
  // In this order: an edit that moves a table to another level has both.
  for (const number of gone) list.tables.delete(number);
  for (const [number, bytes] of added) list.tables.set(number, bytes);
  list.log = log ?? list.log;
  return true;
}

function manifestNamedIn(current: Buffer): string | undefined {
  return /^(MANIFEST-\d+)\n$/.exec(current.toString('latin1'))?.[1];
}

function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(ignoreAbsent);
}
