// What a volume says about itself: the SYSTEM family (values: see system-row.ts).
//
//   row               value
//   format            { version, incompatible, readOnlyCompatible, compatible }: the sets are lists of feature names
//   volume            { uuid: 16 bytes, hashKey: 16 bytes, handleKey: 32 bytes }, for ever
//   write-verifier    8 bytes
//   clean             true: the last run ended in order. Deleted durably at open, written at a clean close
//   next/segment      the segment ids from this one on were never used. A segment's file is there before any batch
//                     names it, so its id is reserved apart; the other watermarks (next/tree, next/data, next/ino/N,
//                     see src/fs/ids.ts) are written in the batch that first uses them
//
// A version that does not know a feature: of the incompatible set, cannot read the volume; of the read-only compatible
// one, can read but must not write it; of the compatible one, can do both.

import type { Random } from '../clock.ts';
import { IdSequence } from './id-sequence.ts';
import { keys } from './keys.ts';
import type { MetaStore, Write } from './meta-store.ts';
import { damagedRow, readSystem, systemWrite } from './system-row.ts';
import { VolumeError } from './volume-error.ts';

/** On disk. A version that this one cannot read at all has a higher number; lesser changes are features. */
export const FORMAT_VERSION = 1;

/** Batches are in a journal before they are here: a version that does not read it would lose them. */
const JOURNAL = 'journal';
/** What trees hold is counted in SPACE rows: a version that does not keep them true must not write. */
const SPACE = 'space';
/** LevelDB says which batch of the journal it is the state of: a version that writes without saying so must not. */
const APPLIED = 'applied';

/** The features that this version knows. On disk: never reuse a name. */
const INCOMPATIBLE: readonly string[] = [JOURNAL];
const READ_ONLY_COMPATIBLE: readonly string[] = [SPACE, APPLIED];

interface FormatRow {
  readonly version: number;
  readonly incompatible: readonly string[];
  readonly readOnlyCompatible: readonly string[];
  readonly compatible: readonly string[];
}

interface VolumeRow {
  readonly uuid: Buffer;
  /** Of the SipHash that gives directory entries their cookies. */
  readonly hashKey: Buffer;
  /** Of the MAC in file handles. */
  readonly handleKey: Buffer;
}

export const VERIFIER_BYTES = 8;
/** Segment ids that one durable write reserves. */
const SEGMENT_BLOCK = 1024;
/** As many as a frame's identity has room for. */
const SEGMENT_MAX = 2 ** 31 - 1;
const FIRST_ID = 1;

export interface VolumeFormat extends VolumeRow {
  /** Changes when a run did not end in order: what was written UNSTABLE in it may be lost (RFC 1813 §4.8). */
  readonly writeVerifier: Buffer;
  /** Whether the last run ended in order. */
  readonly wasClean: boolean;
  readonly segmentIds: IdSequence;
  /** New volumes are without, and those from before there was one. */
  readonly hasSpaceAccounting: boolean;
  /** Says durably that the rows of all trees are there. */
  addSpaceAccounting(): Promise<void>;
  /** Says durably that this run ends in order. Nothing is dirty, and nothing is written after it. */
  markClean(): Promise<void>;
}

/** Whether the store holds a volume. */
export async function hasFormat(meta: MetaStore): Promise<boolean> {
  return (await readSystem(meta, ['format']))[0] !== undefined;
}

/** Makes a new volume of an empty store, in one batch. */
export async function createFormat(meta: MetaStore, random: Random): Promise<void> {
  const format: FormatRow = {
    version: FORMAT_VERSION,
    incompatible: [],
    readOnlyCompatible: [],
    compatible: [],
  };
  const volume: VolumeRow = { uuid: uuid4(random), hashKey: random(16), handleKey: random(32) };
  await meta.write(
    [
      systemWrite('format', format),
      systemWrite('volume', volume),
      systemWrite('write-verifier', random(VERIFIER_BYTES)),
      systemWrite('clean', true),
      segmentWatermark(FIRST_ID),
    ],
    true,
  );
}

export interface JournalFeatures {
  /** The volume has had a journal. */
  readonly hasJournal: boolean;
  /** LevelDB has had the row that says how far it is (applied-row.ts). */
  readonly saysApplied: boolean;
}

/** @param meta the store below the journal */
export async function journalFeatures(meta: MetaStore): Promise<JournalFeatures> {
  const format = await required<FormatRow>(meta, 'format');
  checkFormat(format);
  return {
    hasJournal: format.incompatible.includes(JOURNAL),
    saysApplied: format.readOnlyCompatible.includes(APPLIED),
  };
}

/** Says that the volume has both from now on: they are there. @param meta the store below the journal */
export async function addJournalFeatures(meta: MetaStore): Promise<void> {
  const format = await required<FormatRow>(meta, 'format');
  const incompatible = withName(format.incompatible, JOURNAL);
  const readOnlyCompatible = withName(format.readOnlyCompatible, APPLIED);
  await meta.write([systemWrite('format', { ...format, incompatible, readOnlyCompatible })], true);
}

function withName(set: readonly string[], name: string): readonly string[] {
  return set.includes(name) ? set : [...set, name];
}

/** Begins a run: from now on, until {@link VolumeFormat.markClean}, a crash changes the write verifier. */
export async function openFormat(meta: MetaStore, random: Random): Promise<VolumeFormat> {
  const format = await required<FormatRow>(meta, 'format');
  checkFormat(format);
  const { uuid, hashKey, handleKey } = await required<VolumeRow>(meta, 'volume');
  const storedVerifier = await required<Buffer>(meta, 'write-verifier');
  const wasClean = (await readSystem(meta, ['clean']))[0] === true;
  const writeVerifier = wasClean ? storedVerifier : random(VERIFIER_BYTES);

  const clean = systemWrite('clean', true);
  const begin: Write[] = [{ key: clean.key, value: null }];
  if (!wasClean) begin.push(systemWrite('write-verifier', writeVerifier));
  const from = await required<number>(meta, 'next/segment');
  const { lt } = keys.segment.range();
  const [taken] = await meta.page({ gte: keys.segment.key(from), lt }, 1);
  if (taken) throw damagedRow('next/segment', 'is an older one: segments in use are behind it');
  const end = Math.min(from + SEGMENT_BLOCK, SEGMENT_MAX + 1);
  begin.push(segmentWatermark(end));
  await meta.write(begin, true);
  return {
    uuid,
    hashKey,
    handleKey,
    writeVerifier,
    wasClean,
    segmentIds: new IdSequence({
      noun: 'segment',
      from,
      end,
      block: SEGMENT_BLOCK,
      max: SEGMENT_MAX,
      reserve: (next) => meta.write([segmentWatermark(next)], true),
    }),
    hasSpaceAccounting: format.readOnlyCompatible.includes(SPACE),
    addSpaceAccounting() {
      const readOnlyCompatible = [...format.readOnlyCompatible, SPACE];
      return meta.write([systemWrite('format', { ...format, readOnlyCompatible })], true);
    },
    markClean: () => meta.write([clean], true),
  };
}

export function segmentWatermark(next: number): Write {
  return systemWrite('next/segment', next);
}

async function required<T>(meta: MetaStore, name: string): Promise<T> {
  const [value] = await readSystem(meta, [name]);
  if (value === undefined) throw damagedRow(name, 'is missing');
  return value as T;
}

function checkFormat({ version, incompatible, readOnlyCompatible }: FormatRow): void {
  if (version > FORMAT_VERSION) {
    throw unknownFormat(
      `has format ${version}, and this version of Cairn knows formats up to ${FORMAT_VERSION}`,
    );
  }
  const unreadable = incompatible.filter((feature) => !INCOMPATIBLE.includes(feature));
  if (unreadable.length > 0) {
    throw unknownFormat(`uses what this version of Cairn does not know: ${unreadable.join(', ')}`);
  }
  const unwritable = readOnlyCompatible.filter((feature) => !READ_ONLY_COMPATIBLE.includes(feature));
  if (unwritable.length > 0) {
    throw unknownFormat(
      `may not be written by a version of Cairn that does not know ${unwritable.join(', ')}`,
    );
  }
}

function unknownFormat(reason: string): VolumeError {
  return new VolumeError(
    'UNKNOWN_FORMAT',
    `Cannot open the volume: it ${reason}. Start the newer version of Cairn that it was used with last`,
  );
}

/** RFC 9562 §5.4 */
function uuid4(random: Random): Buffer {
  const uuid = random(16);
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid;
}
