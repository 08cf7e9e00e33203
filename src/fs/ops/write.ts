// WRITE, RFC 1813 §3.3.7.
//
// An UNSTABLE write is accepted into memory and shows at once; COMMIT or time flushes it. A small stable one travels
// inline in a batch of its own, a large one is flushed as a COMMIT would. ctime, mtime and size show from the turn of
// the write on, stable or not.

import type { Eventual } from '../../eventual.ts';
import { unpooledCopy } from '../../unpooled-copy.ts';
import { attempt, Wait } from '../attempt.ts';
import { allocated, EMPTY_MAP, isOverfull, overlay } from '../chunk-map.ts';
import { inlineExtent } from '../extent.ts';
import {
  type Caller,
  FILE_BYTES_MAX,
  FileType,
  type Mutation,
  type NodeRef,
  type Staged,
  type Written,
} from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { attributesOf, inodeOf, type OperationContext } from '../operation.ts';
import { modeAfterWrite } from '../ownership.ts';
import { mayWriteData } from '../permission.ts';
import { Turn } from '../turn.ts';
import { windowPieces } from '../window-piece.ts';

/** Stable writes up to this size travel in the batch. */
const INLINE_WRITE_BYTES_MAX = 8 * 1024;

/** The ticket of a reply that need not wait: an UNSTABLE write promises nothing before its COMMIT. */
const NOTHING_STAGED = 0;

interface WriteCall {
  readonly call: Mutation<Written>;
  readonly node: NodeRef;
  readonly offset: number;
  readonly data: Buffer;
}

/** @throws FsError `EFBIG` when not even the first byte fits, `EDQUOT`, `ENOSPC`, `EACCES`, `EINVAL`, `EISDIR` */
export function write(
  context: OperationContext,
  call: Mutation<Written>,
  node: NodeRef,
  offset: number,
  data: Buffer,
  stable: boolean,
): Eventual<Staged<Written>> {
  const wanted: WriteCall = { call, node, offset, data };
  if (!stable) return attempt(() => writeUnstable(context, wanted));
  if (data.length <= INLINE_WRITE_BYTES_MAX) {
    return attempt(() => {
      const written = writeInline(context, wanted);
      return written ? durably(context, written) : writeThrough(context, wanted);
    });
  }
  return attempt(() => writeThrough(context, wanted));
}

/** The inode of a write that is allowed, and how much of its data fits below the greatest file size. */
function checked(
  context: OperationContext,
  { call, node, offset, data }: WriteCall,
): { record: InodeRecord; data: Buffer } {
  const record = inodeOf(context, node);
  if (record.type !== FileType.file) {
    throw new FsError(
      record.type === FileType.directory ? 'EISDIR' : 'EINVAL',
      'Only a regular file can be written',
    );
  }
  if (!mayWriteData(call.caller, record)) throw new FsError('EACCES');
  const room = FILE_BYTES_MAX - offset;
  if (data.length > 0 && room <= 0) throw new FsError('EFBIG', `A file has at most ${FILE_BYTES_MAX} bytes`);
  return { record, data: data.length > room ? data.subarray(0, room) : data };
}

function writeUnstable(context: OperationContext, wanted: WriteCall): Staged<Written> {
  const { records, writeBack, clock } = context;
  const { record, data } = checked(context, wanted);
  const { tree } = records;
  const before = attributesOf(context, record);
  if (data.length === 0)
    return { result: { before, after: before, count: 0, stable: false }, ticket: NOTHING_STAGED };
  const held = tree.held.get(record.ino);
  if (held !== undefined) throw new Wait(held);
  const { offset } = wanted;
  const file = tree.dirty.get(record.ino) ?? writeBack.newFile(records, record.ino);
  const growth = file.holesUnder(record, offset, offset + data.length);
  writeBack.reserve(tree, data.length, growth);
  const { record: current, ticket } = withoutPrivilege(context, wanted.call.caller, record);
  const now = clock.now();
  const ctime = records.store.changeTime(tree, now, file.ctimeAfter(current));
  writeBack.accept(file, { offset, data, since: writeBack.now() }, { growth, ctime, mtime: now });
  const after = attributesOf(context, current);
  return { result: { before, after, count: data.length, stable: false }, ticket };
}

/** New contents must not run with the old contents' setuid and setgid, from this very turn on. */
function withoutPrivilege(
  { records, clock }: OperationContext,
  caller: Caller,
  record: InodeRecord,
): { record: InodeRecord; ticket: number } {
  const mode = modeAfterWrite(caller, record);
  if (mode === record.mode) return { record, ticket: NOTHING_STAGED };
  const turn = new Turn(records, clock.now());
  const updated = turn.update(turn.edit(record), { mode });
  return { record: updated, ticket: turn.commit() };
}

/** Undefined when the window has no room for inline bytes. */
function writeInline(context: OperationContext, wanted: WriteCall): Staged<Written> | undefined {
  const { records, writeBack, clock } = context;
  const { data } = checked(context, wanted);
  if (data.length === 0) return undefined;
  const { call, node, offset } = wanted;
  const turn = new Turn(records, clock.now());
  const record = turn.edit(node);
  const before = attributesOf(context, record);
  const dirty = records.tree.dirty.get(record.ino);
  const end = offset + data.length;
  const dataId = record.dataId || records.store.dataIds.take();
  let filled = 0;
  for (const [window, pieces] of windowPieces([{ offset, data }], 2 ** record.windowLog2)) {
    const map = (record.dataId > 0 ? turn.chunk(dataId, window) : null) ?? EMPTY_MAP;
    const next = overlay(
      map,
      pieces.map((piece) => inlineExtent(piece.offset, unpooledCopy(piece.data))),
    );
    if (isOverfull(next)) return undefined;
    turn.putChunk(dataId, window, next);
    filled += allocated(next) - allocated(map);
  }
  const growth = dirty ? dirty.holesUnder(record, offset, end) : filled;
  writeBack.reserve(records.tree, data.length, growth);
  writeBack.forgetTimes(turn, record);
  const updated = turn.update(record, {
    size: Math.max(record.size, end),
    allocated: record.allocated + filled,
    dataId,
    mode: modeAfterWrite(call.caller, record),
    mtimeSeconds: turn.now.seconds,
    mtimeNanoseconds: turn.now.nanoseconds,
  });
  turn.count(filled, 0);
  // What waited under these bytes over holes is growth no longer: they are in the maps now.
  if (dirty) turn.afterwardsDo(() => dirty.cut(offset, end, dirty.growth - (filled - growth)));
  const ticket = turn.commit();
  const after = attributesOf(context, updated);
  return { result: { before, after, count: data.length, stable: true }, ticket };
}

/** Accepts the bytes, then flushes everything up to them. */
function writeThrough(context: OperationContext, wanted: WriteCall): Eventual<Staged<Written>> {
  const { records, writeBack } = context;
  const accepted = writeUnstable(context, wanted);
  const date = writeBack.now();
  return writeBack.flushUntil(records, wanted.node.ino, date).then(() => {
    const { store } = records;
    const written = { result: { ...accepted.result, stable: true }, ticket: store.ticket };
    return durably(context, written);
  });
}

/** `relaxed` lets metadata replies go early, but never those that promise stable storage. */
export function durably<R>({ records }: OperationContext, staged: Staged<R>): Eventual<Staged<R>> {
  const { store } = records;
  if (store.parts.settings.strict) return staged;
  const durable = store.durable(staged.ticket);
  return durable === undefined ? staged : durable.then(() => staged);
}
