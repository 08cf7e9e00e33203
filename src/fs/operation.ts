// What every operation of a dataset's file system works with, and the frame of a mutating one:
// turn, stage, result, receipt. Each family of operations is a file of src/fs/ops.

import type { Clock, Random } from '../clock.ts';
import type { Eventual } from '../eventual.ts';
import { attempt } from './attempt.ts';
import { attributesWithDirty } from './dirty-file.ts';
import type { Attributes, Mutation, NodeRef, Staged } from './file-system.ts';
import { FsError } from './fs-error.ts';
import type { IdSequence } from './ids.ts';
import type { InodeRecord } from './inode-record.ts';
import type { Records } from './records.ts';
import { ShrinkUnderWay } from './shrink-under-way.ts';
import { Turn } from './turn.ts';
import type { WriteBack } from './write-back.ts';

/** Inode of every dataset's root directory. */
export const ROOT_INO = 1;

/** All that an operation needs which only reads. */
export interface ReadContext {
  readonly datasetId: number;
  readonly records: Records;
}

export interface OperationContext extends ReadContext {
  /** Of the head, which a rollback replaces: not to be kept from one turn to the next. */
  records: Records;
  readonly clock: Clock;
  readonly random: Random;
  /** The dataset's inode numbers; 1 is the root's. */
  readonly inos: IdSequence;
  readonly writeBack: WriteBack;
  /** To be woken when there is something to give back. */
  readonly reclaimer: { wake(): void };
  /** Whether the name `.snapshots` stands for snapshots in every directory, so that nothing may be made under it. */
  reservesSnapshots: boolean;
  /** Whether that dataset is nested in this one, so that the directory at which it shows has to stay. */
  nests: (dataset: number) => boolean;
}

/** The staged record of an inode. @throws FsError `ESTALE` when it is gone or its number has a new user. */
export function inodeOf(context: ReadContext, node: NodeRef): InodeRecord {
  const { records } = context;
  if (records.tree.dropped) throw new FsError('ESTALE');
  const record = records.inode(node.ino);
  if (!record || record.generation !== node.generation) throw new FsError('ESTALE');
  return record;
}

/** What `stat` shows of a record: dirty size, times and space included. */
export function attributesOf(context: ReadContext, record: InodeRecord): Attributes {
  return attributesWithDirty(context.records.tree, record);
}

/**
 * Runs a mutating operation. `body` reads, checks and edits in the turn, and returns what computes the result once
 * everything is staged; it may run several times, so it must change nothing but the turn.
 */
export function mutate<R>(
  context: OperationContext,
  call: Mutation<R>,
  body: (turn: Turn) => () => R,
): Eventual<Staged<R>> {
  context.records.store.beginOperation();
  return attempt(() => stage(context, call, body));
}

/** @param shrink the operation's own, whose steps have been taken */
function stage<R>(
  context: OperationContext,
  call: Mutation<R>,
  body: (turn: Turn) => () => R,
  shrink?: ShrinkUnderWay,
): Eventual<Staged<R>> {
  const turn = new Turn(context.records, context.clock.now(), shrink);
  let finish: () => R;
  try {
    finish = body(turn);
  } catch (thrown) {
    if (!(thrown instanceof ShrinkUnderWay)) throw thrown;
    return behindSteps(thrown, () => stage(context, call, body, thrown));
  }
  shrink?.end();
  const ticket = turn.commit();
  const result = finish();
  const receipt = call.receipt?.(result);
  return { result, ticket: receipt ? turn.attach(receipt, ticket) : ticket };
}

/** Whatever becomes of the operation, it lets go of the inode. */
async function behindSteps<T>(shrink: ShrinkUnderWay, last: () => Eventual<T>): Promise<T> {
  try {
    await shrink.steps;
    return await attempt(last);
  } finally {
    shrink.end();
  }
}
