// Copies what a moment shows, a file or a directory with all below it, into a live dataset, through the operations that
// clients use: quotas, snapshots and checks see nothing special. Holes stay holes, names of one file stay names of one
// file; times, owners and modes are those of the original, except ctime.

import type { Eventual } from '../../eventual.ts';
import { attempt } from '../../fs/attempt.ts';
import { type Extent, endOf, sliceExtent } from '../../fs/extent.ts';
import { readExtents } from '../../fs/extent-reader.ts';
import {
  ADMINISTRATOR,
  type Attributes,
  type Changes,
  type Cookie,
  type FileSystem,
  FileType,
  type NodeRef,
  type SpecialNode,
  type Staged,
} from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import { unpooledCopy } from '../../unpooled-copy.ts';
import type { MomentView } from '../diff/moment-view.ts';

const CALL = { caller: ADMINISTRATOR };
const ENTRIES_A_PAGE = 256;
const FILES_A_COMMIT = 64;
/** Only the administrator may look in before it is whole. */
const MODE_MEANWHILE = 0o700;

export interface CopyParts {
  /** The moment, as a file system and as records. */
  readonly source: FileSystem;
  readonly view: MomentView;
  readonly target: FileSystem;
  /** Bytes that were copied. */
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export interface Place {
  readonly directory: NodeRef;
  readonly name: Buffer;
}

export class TreeCopy {
  private readonly parts: CopyParts;
  /** Of files with several names, the copy. */
  private readonly linked = new Map<number, NodeRef>();
  private uncommitted: NodeRef[] = [];

  constructor(parts: CopyParts) {
    this.parts = parts;
  }

  /** @throws FsError; what was copied by then stays */
  async copy(node: Attributes, { directory, name }: Place): Promise<void> {
    const { target, signal } = this.parts;
    signal.throwIfAborted();
    const known = this.linked.get(node.ino);
    if (known) {
      await staged(() => target.link(CALL, known, directory, name));
      return;
    }
    const copy = await this.make(node, { directory, name });
    if (node.type !== FileType.directory && node.nlink > 1) this.linked.set(node.ino, copy);
    if (node.type === FileType.file) await this.copyData(node, copy);
    if (node.type === FileType.directory) await this.copyEntries(node, copy);
    await staged(() => target.setattr(CALL, copy, attributesOf(node)));
  }

  /** All data that was copied is durable when this resolves, and so are names and attributes. */
  async commit(): Promise<void> {
    const { target } = this.parts;
    const files = this.uncommitted;
    this.uncommitted = [];
    const tickets = await Promise.all(
      files.map(async (file) => (await attempted(() => target.commit(CALL, file))).ticket),
    );
    await target.settled(Math.max(0, ...tickets));
  }

  private async make(node: Attributes, { directory, name }: Place): Promise<NodeRef> {
    const { source, target } = this.parts;
    const { type, rdevMajor: major, rdevMinor: minor } = node;
    const changes = { mode: MODE_MEANWHILE };
    switch (type) {
      case FileType.file:
        return created(() => target.create(CALL, directory, name, { mode: 'guarded', changes }));
      case FileType.directory:
        return created(() => target.mkdir(CALL, directory, name, changes));
      case FileType.symlink: {
        const link = await attempted(() => source.readlink(ADMINISTRATOR, node));
        return created(() => target.symlink(CALL, directory, name, link.target, changes));
      }
      default: {
        const special: SpecialNode = { type, major, minor, changes };
        return created(() => target.mknod(CALL, directory, name, special));
      }
    }
  }

  private async copyData(node: Attributes, copy: NodeRef): Promise<void> {
    const { view, target, signal, onBytes } = this.parts;
    const record = await view.inode(node.ino);
    let end = 0;
    if (record && record.dataId !== 0) {
      for await (const window of view.windows(record.dataId)) {
        const start = window * 2 ** record.windowLog2;
        for (const extent of (await view.chunk(record.dataId, window)) ?? []) {
          signal.throwIfAborted();
          const shown = upTo(extent, record.size - start);
          if (!shown) continue;
          const data = await bytesOf(view, shown);
          await staged(() => target.write(CALL, copy, start + shown.offset, data, false));
          end = start + endOf(shown);
          onBytes(data.length);
        }
      }
    }
    if (end < node.size) await staged(() => target.setattr(CALL, copy, { size: node.size }));
    this.uncommitted.push(copy);
    if (this.uncommitted.length === FILES_A_COMMIT) await this.commit();
  }

  private async copyEntries(node: Attributes, copy: NodeRef): Promise<void> {
    const { source } = this.parts;
    let after: Cookie = { high: 0, low: 0 };
    for (;;) {
      const from = after;
      const page = await attempted(() => source.readdir(ADMINISTRATOR, node, from, ENTRIES_A_PAGE));
      const inodes = await attempted(() => source.attributesOf(page.entries.map(({ ino }) => ino)));
      for (const [at, { name, ino }] of page.entries.entries()) {
        const entry = inodes[at];
        if (!entry) throw new FsError('EIO', `Cannot restore inode ${ino}: its record is not there`);
        await this.copy(entry, { directory: copy, name });
      }
      const last = page.entries.at(-1);
      if (page.end || !last) return;
      after = { high: last.cookieHigh, low: last.cookieLow };
    }
  }
}

/** Removes what stands at a place, with all below it; nothing where there is nothing, and no more once `isStopped`. */
export async function removeTree(
  target: FileSystem,
  { directory, name }: Place,
  isStopped: () => boolean = () => false,
): Promise<void> {
  const node = await attempted(() => target.lookup(ADMINISTRATOR, directory, name));
  if (!node || isStopped()) return;
  if (node.type !== FileType.directory) {
    await staged(() => target.remove(CALL, directory, name));
    return;
  }
  while (!isStopped()) {
    const page = await attempted(() =>
      target.readdir(ADMINISTRATOR, node, { high: 0, low: 0 }, ENTRIES_A_PAGE),
    );
    if (page.entries.length === 0) break;
    for (const entry of page.entries)
      await removeTree(target, { directory: node, name: entry.name }, isStopped);
  }
  if (!isStopped()) await staged(() => target.rmdir(CALL, directory, name));
}

function attributesOf(node: Attributes): Changes {
  return {
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    atime: { seconds: node.atimeSeconds, nanoseconds: node.atimeNanoseconds },
    mtime: { seconds: node.mtimeSeconds, nanoseconds: node.mtimeNanoseconds },
  };
}

/** Behind the end of a file its last window may show more. */
function upTo(extent: Extent, end: number): Extent | undefined {
  if (extent.offset >= end) return undefined;
  return sliceExtent(extent, extent.offset, Math.min(endOf(extent), end));
}

/** Bytes of their own: a write keeps what it is given, and a read may use its buffer again. */
async function bytesOf({ store }: MomentView, extent: Extent): Promise<Buffer> {
  if (extent.frame === null) return unpooledCopy(extent.data);
  const [bytes] = await attempt(() => readExtents(store, [extent]));
  return unpooledCopy(bytes!);
}

/** A throw in the same turn becomes a rejection like a later one. */
async function attempted<T>(answer: () => Eventual<T>): Promise<T> {
  return answer();
}

async function staged<R>(answer: () => Eventual<Staged<R>>): Promise<R> {
  return (await answer()).result;
}

async function created(answer: () => Eventual<Staged<{ readonly node: NodeRef }>>): Promise<NodeRef> {
  return (await staged(answer)).node;
}
