// The values of DATASET and DATASET_REGISTRY keys.
//
//   dataset := format:u8=1 body crc32:u32      body: a MessagePack map with the field names below
//   index   := format:u8=1 id:u32 crc32:u32    what a name, a uuid or "the default" stands for
//
// Integers are big-endian, a checksum covers all before it. The published record's `readonly` is the property
// `readonly` here, its `generation` the current one of the head tree (TREE has it); owner and mode are those of the
// root inode. `parentId` is the dataset that a clone comes from, `parentUuid` the snapshot, or that dataset where it came
// from its live tree; what a dataset is nested in, its name says.
// Field names and kinds of index are on disk: never rename, never renumber.

import { getU32, putU32 } from '../fs/big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, isCount, sealChecked } from '../fs/checked-value.ts';
import { isTexts, packedValue, unpackedBody } from '../fs/packed-value.ts';
import { DamageError } from '../fs/versioned-value.ts';

const FORMAT = 1;
const INDEX_BODY_BYTES = 4;

export const IndexKind = { name: 1, uuid: 2, default: 3 } as const;

export interface DatasetRecord {
  readonly id: number;
  readonly name: string;
  readonly uuid: string;
  readonly parentId: number | null;
  readonly parentUuid: string | null;
  readonly rootInode: number;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly isSnapshot: boolean;
  readonly flags: number;
  readonly kind: 'filesystem' | 'volume';
  readonly headTree: number;
  /** Unix seconds, when it is deleted; null is never. */
  readonly expiresAt: number | null;
  /** What was set on this dataset, canonical; see properties.ts. */
  readonly properties: Readonly<Record<string, string>>;
}

export function encodeDataset(record: DatasetRecord): Buffer {
  // The order of the fields is that of the bytes: named here, so that equal records have equal values.
  return packedValue(FORMAT, {
    id: record.id,
    name: record.name,
    uuid: record.uuid,
    parentId: record.parentId,
    parentUuid: record.parentUuid,
    rootInode: record.rootInode,
    createdAt: record.createdAt,
    isSnapshot: record.isSnapshot,
    flags: record.flags,
    kind: record.kind,
    headTree: record.headTree,
    ...(record.expiresAt === null ? {} : { expiresAt: record.expiresAt }),
    properties: record.properties,
  });
}

/** @throws DamageError when the bytes are not those of dataset `id`; never anything else. */
export function decodeDataset(id: number, value: Buffer): DatasetRecord {
  const what = `the record of dataset ${id}`;
  // An expiry is written only where there is one.
  const record: unknown = { expiresAt: null, ...(unpackedBody(value, FORMAT, what) as object) };
  if (!isDatasetRecord(record)) throw new DamageError(`Cannot read ${what}: a field is missing or wrong`);
  if (record.id !== id) throw new DamageError(`Cannot read ${what}: it says that it is ${record.id}`);
  return record;
}

export function encodeIndex(id: number): Buffer {
  const value = checkedValue(FORMAT, INDEX_BODY_BYTES);
  putU32(value, CHECKED_BODY_AT, id);
  return sealChecked(value);
}

/** @throws DamageError */
export function decodeIndex(value: Buffer, what: string): number {
  const body = checkedBody(value, FORMAT, INDEX_BODY_BYTES, what);
  if (body.length === INDEX_BODY_BYTES) return getU32(body, 0);
  throw new DamageError(`Cannot read ${what}: it has ${value.length} bytes`);
}

function isDatasetRecord(value: unknown): value is DatasetRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<keyof DatasetRecord, unknown>;
  return (
    isCount(record.id) &&
    typeof record.name === 'string' &&
    typeof record.uuid === 'string' &&
    (record.parentId === null || isCount(record.parentId)) &&
    (record.parentUuid === null || typeof record.parentUuid === 'string') &&
    isCount(record.rootInode) &&
    isCount(record.createdAt) &&
    typeof record.isSnapshot === 'boolean' &&
    isCount(record.flags) &&
    (record.kind === 'filesystem' || record.kind === 'volume') &&
    isCount(record.headTree) &&
    (record.expiresAt === null || isCount(record.expiresAt)) &&
    isTexts(record.properties)
  );
}
