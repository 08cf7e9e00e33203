// READ, RFC 1813 §3.3.6: what waits in memory over what the maps show; holes are zeros.

import type { Eventual } from '../../eventual.ts';
import { lentBuffers } from '../../lent-buffers.ts';
import { Wait } from '../attempt.ts';
import { extentOver, plan } from '../chunk-map.ts';
import type { DirtyRanges } from '../dirty-ranges.ts';
import type { Extent, FrameExtent } from '../extent.ts';
import { readExtent, readExtents } from '../extent-reader.ts';
import { type Attributes, type Caller, FileType, type NodeRef, type ReadResult } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { areMapsTrusted, checkMaps } from '../lost-maps.ts';
import { attributesOf, inodeOf, type ReadContext } from '../operation.ts';
import { mayReadData } from '../permission.ts';
import type { Records } from '../records.ts';
import { startOver } from './start-over.ts';

/** The most that one READ answers. */
export const READ_BYTES_MAX = 2 ** 20;
const ZEROS = Buffer.alloc(64 * 1024);
/** More parts than these are put into one buffer: one for each byte of a write here and there would be gigabytes. */
const PARTS_MAX = 64;

/** @throws FsError `EISDIR`, `EINVAL`, `EACCES`; `EIO` when what is stored is damaged */
export function read(
  context: ReadContext,
  caller: Caller,
  node: NodeRef,
  offset: number,
  count: number,
): Eventual<ReadResult> {
  try {
    return readNow(context, caller, node, offset, count);
  } catch (thrown) {
    return startOver(thrown, readNow, context, caller, node, offset, count);
  }
}

/** Bytes at an offset of the file: at hand, or part of a frame. */
interface Part {
  readonly offset: number;
  readonly length: number;
  readonly data: Buffer | null;
  readonly extent: FrameExtent | null;
  /** The data waits for a flush. Once that is staged the buffer is used for other data: a reply on its way must not see it. */
  readonly waits: boolean;
}

function readNow(
  context: ReadContext,
  caller: Caller,
  node: NodeRef,
  offset: number,
  count: number,
): Eventual<ReadResult> {
  const { records } = context;
  const record = inodeOf(context, node);
  if (record.type !== FileType.file) {
    throw new FsError(
      record.type === FileType.directory ? 'EISDIR' : 'EINVAL',
      'Only a regular file can be read',
    );
  }
  if (!mayReadData(caller, record)) throw new FsError('EACCES');
  const attributes = attributesOf(context, record);
  const end = Math.min(attributes.size, offset + Math.min(count, READ_BYTES_MAX));
  if (end <= offset) return result([], 0, attributes, offset >= attributes.size);
  const eof = end === attributes.size;
  const sole = soleExtent(records, record, offset, end);
  if (sole) {
    const buffer = sole.frame === null ? sole.data : readExtent(records.store, sole);
    if (!(buffer instanceof Promise)) return result([buffer], end - offset, attributes, eof);
    return buffer.then((read) => result([read], end - offset, attributes, eof));
  }
  const parts = partsOf(records, record, offset, end);
  const extents = parts.flatMap(({ extent }) => (extent ? [extent] : []));
  const assemble = parts.length > PARTS_MAX ? inOne(parts, offset, end) : inOrder(parts.map(kept));
  if (extents.length === 0) return result(assemble([]), end - offset, attributes, eof);
  const fetched = readExtents(records.store, extents);
  if (!(fetched instanceof Promise)) return result(assemble(fetched), end - offset, attributes, eof);
  return fetched.then((buffers) => result(assemble(buffers), end - offset, attributes, eof));
}

function result(buffers: readonly Buffer[], count: number, attributes: Attributes, eof: boolean): ReadResult {
  return { buffers, count, eof, attributes };
}

/** All of the range where nothing waits and one extent shows it, as of most reads: a third of the work of the parts below. */
function soleExtent(records: Records, record: InodeRecord, from: number, to: number): Extent | undefined {
  if (record.dataId === 0 || to > record.size || records.tree.dirty.has(record.ino)) return undefined;
  const windowBytes = 2 ** record.windowLog2;
  const window = Math.floor(from / windowBytes);
  const start = window * windowBytes;
  if (to > start + windowBytes) return undefined;
  const map = records.chunk(record.dataId, window);
  return map ? extentOver(map, from - start, to - start) : undefined;
}

/** Where each byte from `from` up to `to` comes from, in order and without gaps. */
function partsOf(records: Records, record: InodeRecord, from: number, to: number): Part[] {
  const dirty = records.tree.dirty.get(record.ino);
  if (!dirty) return storedParts(records, record, from, to);
  const parts: Part[] = [];
  let gaps = [{ from, to }];
  for (const source of dirty.sources()) gaps = gaps.flatMap((gap) => takeFrom(source, gap, parts));
  for (const gap of gaps) parts.push(...storedParts(records, record, gap.from, gap.to));
  return parts.sort((a, b) => a.offset - b.offset);
}

/** Puts what `source` has of a gap into `parts` and returns what it has not. */
function takeFrom(
  source: DirtyRanges,
  gap: { from: number; to: number },
  parts: Part[],
): { from: number; to: number }[] {
  const rest: { from: number; to: number }[] = [];
  let at = gap.from;
  for (const { offset, data } of source.pieces(gap.from, gap.to)) {
    if (offset > at) rest.push({ from: at, to: offset });
    parts.push({ offset, length: data.length, data, extent: null, waits: true });
    at = offset + data.length;
  }
  if (at < gap.to) rest.push({ from: at, to: gap.to });
  return rest;
}

function storedParts(records: Records, record: InodeRecord, from: number, to: number): Part[] {
  const windowBytes = 2 ** record.windowLog2;
  const parts: Part[] = [];
  for (let at = from; at < to; ) {
    const window = Math.floor(at / windowBytes);
    const start = window * windowBytes;
    const end = Math.min(to, start + windowBytes);
    // Behind the stored size nothing is stored, only waits.
    const map = record.dataId > 0 && start < record.size ? records.chunk(record.dataId, window) : null;
    if (!map) {
      checkHole(record, at, end);
      if (start < record.size && !areMapsTrusted(records, record)) throw new Wait(checkMaps(records, record));
      parts.push({ offset: at, length: end - at, data: null, extent: null, waits: false });
    } else {
      for (const step of plan(map, at - start, end - start)) {
        if (step.frame === null && step.data === null) checkHole(record, start + step.offset, end);
        parts.push({
          offset: start + step.offset,
          length: step.length,
          data: step.data,
          extent: step.frame === null ? null : step,
          waits: false,
        });
      }
    }
    at = end;
  }
  return parts;
}

/**
 * A file whose inode counts every byte as allocated has no holes: what is missing there was lost with its record.
 * @throws FsError `EIO`
 */
function checkHole(record: InodeRecord, from: number, to: number): void {
  if (record.size === 0 || from >= record.size || record.allocated < record.size) return;
  throw new FsError(
    'EIO',
    `The data of inode ${record.ino} from byte ${from} to ${to} is missing from the store`,
  );
}

/** What to do with the bytes of the extents, in their order. */
type Assemble = (fetched: readonly Buffer[]) => Buffer[];

function kept(part: Part): Part {
  const { data, waits } = part;
  if (!data || !waits) return part;
  const copy = lentBuffers.take(data.length);
  copy.set(data);
  return { ...part, data: copy };
}

function inOrder(parts: readonly Part[]): Assemble {
  return (fetched) => {
    const buffers: Buffer[] = [];
    let next = 0;
    for (const { length, data, extent } of parts) {
      if (extent) buffers.push(fetched[next++]!);
      else if (data) buffers.push(data);
      else
        for (let at = 0; at < length; at += ZEROS.length)
          buffers.push(ZEROS.subarray(0, Math.min(ZEROS.length, length - at)));
    }
    return buffers;
  };
}

/** Takes over what is at hand in this turn. */
function inOne(parts: readonly Part[], from: number, to: number): Assemble {
  const whole = lentBuffers.take(to - from);
  for (const { offset, length, data } of parts) {
    if (data) whole.set(data, offset - from);
    else whole.fill(0, offset - from, offset - from + length);
  }
  return (fetched) => {
    let next = 0;
    for (const { offset, extent } of parts) if (extent) whole.set(fetched[next++]!, offset - from);
    return [whole];
  };
}
