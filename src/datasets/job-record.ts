// The value of a JOB key: work that was begun in a batch and is finished in the background, across restarts.
//
//   value := format:u8=1 kind:u8 rest crc32:u32
//   rest  := tree:u32                                     kind 1: take back all that a tree holds
//          | place                                        kind 2: what a restore has made or replaced there goes
//          | tree:u32                                     kind 3: make a tree independent of its parent
//          | tree:u32                                     kind 4: put what a tree inherits underneath what it has
//          | dataset:u32                                  kind 6: let go of the snapshots of a deleted dataset
//          | place snapshot:u32 replaces:u8 pathBytes:u32 path destination
//                                                         kind 5: a restore out of a snapshot of the dataset
//   place := dataset:u32 directory:u64 generation:u32     the directory in which a restore works under a name that has
//                                                         the number of the job
//
// Kinds are on disk: never renumber. A directory's `generation` tells it from a later user of its inode number.

import { getU32, getU64, putU32, putU64 } from '../fs/big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from '../fs/checked-value.ts';
import { DamageError } from '../fs/versioned-value.ts';

const FORMAT = 1;
/** A kind and a number. */
const SHORT_BODY_BYTES = 5;
const PLACE_BODY_BYTES = 17;
const RESTORE_HEAD_BYTES = 26;
const DROP_TREE = 1;
const RESTORE_REST = 2;
const DETACH = 3;
const FLATTEN = 4;
const RESTORE = 5;
const DROP_SNAPSHOTS = 6;
const TREE_KINDS = { 'drop-tree': DROP_TREE, detach: DETACH, flatten: FLATTEN } as const;

type TreeJob = keyof typeof TREE_KINDS;

export interface RestorePlace {
  readonly dataset: number;
  readonly directory: number;
  readonly generation: number;
}

export interface RestoreRecord extends RestorePlace {
  readonly kind: 'restore';
  readonly snapshot: number;
  readonly replaces: boolean;
  readonly path: string;
  readonly destination: string;
}

export type JobRecord =
  | { readonly kind: TreeJob; readonly tree: number }
  | { readonly kind: 'drop-snapshots'; readonly dataset: number }
  | ({ readonly kind: 'restore-rest' } & RestorePlace)
  | RestoreRecord;

export function encodeJob(job: JobRecord): Buffer {
  if (job.kind === 'restore') return encodeRestore(job);
  if (job.kind === 'restore-rest') {
    const value = checkedValue(FORMAT, PLACE_BODY_BYTES);
    putPlace(value, RESTORE_REST, job);
    return sealChecked(value);
  }
  return job.kind === 'drop-snapshots'
    ? encodeShort(DROP_SNAPSHOTS, job.dataset)
    : encodeShort(TREE_KINDS[job.kind], job.tree);
}

function encodeShort(kind: number, number: number): Buffer {
  const value = checkedValue(FORMAT, SHORT_BODY_BYTES);
  value[CHECKED_BODY_AT] = kind;
  putU32(value, CHECKED_BODY_AT + 1, number);
  return sealChecked(value);
}

function encodeRestore(job: RestoreRecord): Buffer {
  const [path, destination] = [Buffer.from(job.path), Buffer.from(job.destination)];
  const value = checkedValue(FORMAT, RESTORE_HEAD_BYTES + path.length + destination.length);
  putPlace(value, RESTORE, job);
  const at = CHECKED_BODY_AT + PLACE_BODY_BYTES;
  putU32(value, at, job.snapshot);
  value[at + 4] = job.replaces ? 1 : 0;
  putU32(value, at + 5, path.length);
  value.set(path, at + 9);
  value.set(destination, at + 9 + path.length);
  return sealChecked(value);
}

function putPlace(value: Buffer, kind: number, { dataset, directory, generation }: RestorePlace): void {
  value[CHECKED_BODY_AT] = kind;
  putU32(value, CHECKED_BODY_AT + 1, dataset);
  putU64(value, CHECKED_BODY_AT + 5, directory);
  putU32(value, CHECKED_BODY_AT + 13, generation);
}

/** @throws DamageError */
export function decodeJob(id: number, value: Buffer): JobRecord {
  const body = checkedBody(value, FORMAT, SHORT_BODY_BYTES, `job ${id}`);
  for (const kind of Object.keys(TREE_KINDS) as TreeJob[])
    if (body.length === SHORT_BODY_BYTES && body[0] === TREE_KINDS[kind])
      return { kind, tree: getU32(body, 1) };
  if (body.length === SHORT_BODY_BYTES && body[0] === DROP_SNAPSHOTS)
    return { kind: 'drop-snapshots', dataset: getU32(body, 1) };
  if (body.length === PLACE_BODY_BYTES && body[0] === RESTORE_REST)
    return { kind: 'restore-rest', ...placeIn(body) };
  if (body.length >= RESTORE_HEAD_BYTES && body[0] === RESTORE) return decodeRestore(body);
  throw new DamageError(`Cannot read job ${id}: it is of unknown kind ${body[0]}`);
}

function decodeRestore(body: Buffer): RestoreRecord {
  const destinationAt = RESTORE_HEAD_BYTES + getU32(body, 22);
  return {
    kind: 'restore',
    ...placeIn(body),
    snapshot: getU32(body, 17),
    replaces: body[21] === 1,
    path: body.toString('utf8', RESTORE_HEAD_BYTES, destinationAt),
    destination: body.toString('utf8', destinationAt),
  };
}

function placeIn(body: Buffer): RestorePlace {
  return { dataset: getU32(body, 1), directory: getU64(body, 5), generation: getU32(body, 13) };
}
