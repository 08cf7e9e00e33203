// What the two files of the journal hold when a volume is opened: the batches that may not be in LevelDB.
//
//   file := head record*                   what is behind the last record is zeros, or records of an earlier use
//   head := "cairn journal 2\n" applied:u64 use:u64 crc32:u32 zeros{28}      big-endian; the CRC covers all before it
//   head := "cairn journal 1\n" applied:u64 crc32:u32 zeros{36}              of the first version; read, and written no more
//
// `use` is another one each time: records of an earlier use have another, and bytes of clients none (journal-record.ts).
// `applied` is the sequence up to which everything was in LevelDB when the use of the file began. Of the greatest of
// the two every later record must be here, in either file. Only the last one may have been cut short: one is written
// at a time. LevelDB says itself up to where it has everything (applied-row.ts): that is never less than a head says,
// unless it has lost what it had.

import { crc32 } from '@node-rs/crc32';
import type { Write } from '../meta-store.ts';
import { type JournalUse, RECORD_ALIGNMENT, recordAt, rowAt, sequenceAt, useAt } from './journal-record.ts';

const MAGIC = 'cairn journal 2\n';
const MAGIC_1 = 'cairn journal 1\n';
const APPLIED_AT = 16;
const USE_AT = 24;
export const USE_BYTES = 8;
const CRC_AT = USE_AT + USE_BYTES;
const CRC_AT_1 = USE_AT;
export const HEAD_BYTES = 64;

export interface JournalContent {
  /** The last that is here, or else the last that was brought to LevelDB. */
  readonly sequence: number;
  /** In the order in which they were written. */
  readonly batches: readonly (readonly Write[])[];
  /** Where something is missing or cannot be read: an index of `files`, and a byte in it. */
  readonly damage: { readonly file: number; readonly at: number } | undefined;
  /** LevelDB has lost what is before the journal: nothing here follows what it has. */
  readonly isBehindHole: boolean;
}

export function putHead(into: Buffer, { applied, use }: { applied: number; use: Buffer }): void {
  into.fill(0, 0, HEAD_BYTES);
  into.write(MAGIC, 0, 'latin1');
  into.writeUInt32BE(Math.floor(applied / 0x1_0000_0000), APPLIED_AT);
  into.writeUInt32BE(applied >>> 0, APPLIED_AT + 4);
  into.set(use, USE_AT);
  into.writeUInt32BE(crc32(into.subarray(0, CRC_AT)), CRC_AT);
}

/**
 * @param files their bytes; one that was cut short when it was made counts as new
 * @param inLevel the sequence up to which LevelDB has everything, where it says so
 */
export function readJournal(files: readonly Buffer[], inLevel?: number): JournalContent {
  const read = files.map(readFile);
  const inHeads = Math.max(...read.map(({ head }) => head?.applied ?? 0));
  if (inLevel !== undefined && inLevel < inHeads)
    return { sequence: inHeads, batches: [], damage: undefined, isBehindHole: true };
  const content = readBehind(read, Math.max(inHeads, inLevel ?? 0));
  return { ...content, isBehindHole: false };
}

function readBehind(read: readonly ReadFile[], applied: number): Omit<JournalContent, 'isBehindHole'> {
  const runs = read.map((one, file) => ({ file, ...runOf(one, applied) }));
  runs.sort((one, other) => one.first - other.first);
  const batches: (readonly Write[])[] = [];
  let sequence = applied;
  for (const run of runs) {
    if (run.first !== sequence + 1) continue;
    batches.push(...run.batches);
    sequence += run.batches.length;
  }
  const headless = read.findIndex(({ head }) => !head);
  if (headless >= 0) return { sequence, batches, damage: { file: headless, at: 0 } };
  const behind = runs.find(({ file }) => laterSequences(read, file, sequence + 1).next().done === false);
  if (!behind) return { sequence, batches, damage: undefined };
  // The run that ends here was to go on.
  const broken = runs.findLast(({ first, batches: { length } }) => first + length === sequence + 1) ?? behind;
  return { sequence, batches, damage: { file: broken.file, at: broken.end } };
}

/** The greatest sequence of a whole record behind `sequence`, wherever it is; else `sequence`. */
export function lastSequence(files: readonly Buffer[], sequence: number): number {
  const read = files.map(readFile);
  let last = sequence;
  for (const file of files.keys())
    for (const later of laterSequences(read, file, sequence)) last = Math.max(last, later);
  return last;
}

interface ReadFile {
  readonly bytes: Buffer;
  /** Undefined when it is damaged. */
  readonly head: { readonly applied: number } | undefined;
  readonly use: JournalUse;
}

function readFile(bytes: Buffer): ReadFile {
  if (bytes.length < HEAD_BYTES) return { bytes, head: { applied: 0 }, use: undefined };
  const magic = bytes.toString('latin1', 0, MAGIC.length);
  if (magic === MAGIC && isRight(bytes, CRC_AT))
    return { bytes, head: { applied: appliedIn(bytes) }, use: bytes.subarray(USE_AT, CRC_AT) };
  if (magic === MAGIC_1 && isRight(bytes, CRC_AT_1))
    return { bytes, head: { applied: appliedIn(bytes) }, use: undefined };
  // What the first record says, then: nothing but a record was ever written there.
  const use = useAt(bytes, HEAD_BYTES);
  return { bytes, head: undefined, use: recordAt(bytes, HEAD_BYTES, use) ? use : undefined };
}

function isRight(bytes: Buffer, crcAt: number): boolean {
  return crc32(bytes.subarray(0, crcAt)) === bytes.readUInt32BE(crcAt);
}

function appliedIn(bytes: Buffer): number {
  return bytes.readUInt32BE(APPLIED_AT) * 0x1_0000_0000 + bytes.readUInt32BE(APPLIED_AT + 4);
}

interface Run {
  /** Infinity when there is no record. */
  readonly first: number;
  readonly batches: readonly (readonly Write[])[];
  /** Where the next record would be. */
  readonly end: number;
}

/** The records from the file's beginning on, as long as they follow each other and are not applied. */
function runOf({ bytes, use }: ReadFile, applied: number): Run {
  const batches: Write[][] = [];
  let first = Number.POSITIVE_INFINITY;
  let at = HEAD_BYTES;
  for (;;) {
    const record = recordAt(bytes, at, use);
    if (!record || record.sequence <= applied) break;
    if (batches.length === 0) first = record.sequence;
    else if (record.sequence !== first + batches.length) break;
    batches.push(writesOf(bytes, record));
    at = record.end;
  }
  return { first, batches, end: at };
}

function writesOf(
  bytes: Buffer,
  { rows, rowsAt }: { readonly rows: number; readonly rowsAt: number },
): Write[] {
  const writes: Write[] = [];
  for (let at = rowsAt; writes.length < rows; ) {
    const { write, end } = rowAt(bytes, at);
    writes.push(write);
    at = end;
  }
  return writes;
}

/** Those of the whole records of a file behind `sequence`, wherever they are. */
function* laterSequences(files: readonly ReadFile[], file: number, sequence: number): Generator<number> {
  const { bytes, use } = files[file]!;
  // All that followed is in the files, so it cannot be further: else most rows would look like records at first, and
  // megabytes behind each of them be checked.
  const sequenceMax =
    sequence + files.reduce((sum, { bytes: { length } }) => sum + length, 0) / RECORD_ALIGNMENT;
  for (let at = HEAD_BYTES; at + RECORD_ALIGNMENT <= bytes.length; at += RECORD_ALIGNMENT) {
    const found = sequenceAt(bytes, at);
    if (found > sequence && found <= sequenceMax && recordAt(bytes, at, use)) yield found;
  }
}
