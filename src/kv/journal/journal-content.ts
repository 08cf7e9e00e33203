// What the two files of the journal hold when a volume is opened: the batches that may not be in LevelDB.
//
//   file := head record*                   what is behind the last record is zeros, or records of an earlier use
//   head := "cairn journal 1\n" applied:u64 crc32:u32 zeros{36}      big-endian; the CRC covers all before it
//
// `applied` is the sequence up to which everything was in LevelDB when the use of the file began. Of the greatest of
// the two every later record must be here, in either file. Only the last one may have been cut short: one is written
// at a time.

import { crc32 } from '@node-rs/crc32';
import type { Write } from '../meta-store.ts';
import { RECORD_ALIGNMENT, recordAt, rowAt, sequenceAt } from './journal-record.ts';

const MAGIC = 'cairn journal 1\n';
const APPLIED_AT = 16;
const CRC_AT = 24;
export const HEAD_BYTES = 64;

export interface JournalContent {
  /** The last that is here, or else the last that was brought to LevelDB. */
  readonly sequence: number;
  /** In the order in which they were written. */
  readonly batches: readonly (readonly Write[])[];
  /** Where something is missing or cannot be read: an index of `files`, and a byte in it. */
  readonly damage: { readonly file: number; readonly at: number } | undefined;
}

export function putHead(into: Buffer, applied: number): void {
  into.fill(0, 0, HEAD_BYTES);
  into.write(MAGIC, 0, 'latin1');
  into.writeUInt32BE(Math.floor(applied / 0x1_0000_0000), APPLIED_AT);
  into.writeUInt32BE(applied >>> 0, APPLIED_AT + 4);
  into.writeUInt32BE(crc32(into.subarray(0, CRC_AT)), CRC_AT);
}

/** @param files their bytes; one that was cut short when it was made counts as new */
export function readJournal(files: readonly Buffer[]): JournalContent {
  const heads = files.map((bytes) => (bytes.length < HEAD_BYTES ? 0 : appliedOf(bytes)));
  const applied = Math.max(...heads.map((head) => head ?? 0));
  const runs = files.map((bytes, file) => ({ file, ...runOf(bytes, applied) }));
  runs.sort((one, other) => one.first - other.first);
  const batches: (readonly Write[])[] = [];
  let sequence = applied;
  for (const run of runs) {
    if (run.first !== sequence + 1) continue;
    batches.push(...run.batches);
    sequence += run.batches.length;
  }
  const headless = heads.indexOf(undefined);
  if (headless >= 0) return { sequence, batches, damage: { file: headless, at: 0 } };
  const behind = runs.find(({ file }) => laterSequences(files, file, sequence + 1).next().done === false);
  if (!behind) return { sequence, batches, damage: undefined };
  // The run that ends here was to go on.
  const broken = runs.findLast(({ first, batches: { length } }) => first + length === sequence + 1) ?? behind;
  return { sequence, batches, damage: { file: broken.file, at: broken.end } };
}

/** The greatest sequence of a whole record behind `sequence`, wherever it is; else `sequence`. */
export function lastSequence(files: readonly Buffer[], sequence: number): number {
  let last = sequence;
  for (const file of files.keys())
    for (const later of laterSequences(files, file, sequence)) last = Math.max(last, later);
  return last;
}

function appliedOf(bytes: Buffer): number | undefined {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  if (crc32(bytes.subarray(0, CRC_AT)) !== bytes.readUInt32BE(CRC_AT)) return undefined;
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
function runOf(bytes: Buffer, applied: number): Run {
  const batches: Write[][] = [];
  let first = Number.POSITIVE_INFINITY;
  let at = HEAD_BYTES;
  for (;;) {
    const record = recordAt(bytes, at);
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
function* laterSequences(files: readonly Buffer[], file: number, sequence: number): Generator<number> {
  const bytes = files[file]!;
  // All that followed is in the files, so it cannot be further: else most rows would look like records at first, and
  // megabytes behind each of them be checked.
  const sequenceMax = sequence + files.reduce((sum, { length }) => sum + length, 0) / RECORD_ALIGNMENT;
  for (let at = HEAD_BYTES; at + RECORD_ALIGNMENT <= bytes.length; at += RECORD_ALIGNMENT) {
    const found = sequenceAt(bytes, at);
    if (found > sequence && found <= sequenceMax && recordAt(bytes, at)) yield found;
  }
}
