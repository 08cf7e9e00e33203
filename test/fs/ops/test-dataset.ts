// A dataset over memory stores, driven through its operations by a caller, with a clock and randomness that replay.

import { expect } from 'vitest';
import type { Clock, Random, Timestamp } from '../../../src/clock.ts';
import type { Eventual } from '../../../src/eventual.ts';
import { attempt } from '../../../src/fs/attempt.ts';
import type {
  Attributes,
  Caller,
  Change,
  Changes,
  Created,
  CreateHow,
  DirectoryEntry,
  Linked,
  Mutation,
  NodeRef,
  Removed,
  Renamed,
  SpecialNode,
  Staged,
  Written,
} from '../../../src/fs/file-system.ts';
import { FileType } from '../../../src/fs/file-system.ts';
import { FsError, type FsErrorCode } from '../../../src/fs/fs-error.ts';
import { type InodeRecord, inodeRecord, withFields } from '../../../src/fs/inode-record.ts';
import { type NameCookie, nameCookie } from '../../../src/fs/name-cookie.ts';
import { type OperationContext, ROOT_INO } from '../../../src/fs/operation.ts';
import { access, attributes, attributesOfMany, rootAttributes } from '../../../src/fs/ops/attributes.ts';
import { create } from '../../../src/fs/ops/create.ts';
import { entriesChanged } from '../../../src/fs/ops/directory.ts';
import { link } from '../../../src/fs/ops/link.ts';
import { lookup } from '../../../src/fs/ops/lookup.ts';
import { mkdir, mknod, symlink } from '../../../src/fs/ops/make.ts';
import { readdir } from '../../../src/fs/ops/readdir.ts';
import { readlink } from '../../../src/fs/ops/readlink.ts';
import { remove, rmdir } from '../../../src/fs/ops/remove.ts';
import { rename } from '../../../src/fs/ops/rename.ts';
import { setattr } from '../../../src/fs/ops/setattr.ts';
import { write } from '../../../src/fs/ops/write.ts';
import { Records } from '../../../src/fs/records.ts';
import { SegmentLog } from '../../../src/fs/segment-log.ts';
import { Store } from '../../../src/fs/store.ts';
import { type TreeCaches, treeCaches } from '../../../src/fs/tree.ts';
import { newTree } from '../../../src/fs/tree-rows.ts';
import { Turn } from '../../../src/fs/turn.ts';
import { WriteBack } from '../../../src/fs/write-back.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { MetaStore } from '../../../src/kv/meta-store.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';

export const SUPERUSER: Caller = { uid: 0, gid: 0, groups: [] };
export const ALICE: Caller = { uid: 1001, gid: 100, groups: [200] };
export const BOB: Caller = { uid: 1002, gid: 101, groups: [] };

const HASH_KEY = Buffer.alloc(16, 7);

export interface TestDatasetOptions {
  readonly meta?: MetaStore;
  /** Tests of collisions and of the order of a listing choose their own. */
  readonly cookieOf?: NameCookie;
  readonly caches?: TreeCaches;
}

/** Time that goes on a millisecond with every look at it. */
class TestClock implements Clock {
  milliseconds = 1_000_000_000_000;
  stepMs = 1;

  readonly now = () => {
    this.milliseconds += this.stepMs;
    const seconds = Math.floor(this.milliseconds / 1000);
    return { seconds, nanoseconds: (this.milliseconds % 1000) * 1_000_000 };
  };
  readonly elapsedMs = () => this.milliseconds;
  readonly after = () => ({ cancel() {} });
}

/** Memory segments on a disk that has as much room as a test says. */
class DiskOfSize extends MemorySegmentStore {
  free = 1e12;

  override async freeBytes(): Promise<number> {
    return this.free;
  }
}

class CountedIds {
  private next = 1;

  take(): number {
    return this.next++;
  }
}

/** Random bytes that replay. */
function seededBytes(seed: number): Random {
  const random = seededRandom(seed);
  return (bytes) => Buffer.from(Array.from({ length: bytes }, () => upTo(random, 255)));
}

export interface Logged {
  readonly details: object;
  readonly message: string;
}

interface Parts {
  readonly context: OperationContext;
  readonly clock: TestClock;
  readonly meta: MetaStore;
  readonly logged: Logged[];
  readonly segments: DiskOfSize;
}

type Name = string | Buffer;

/** Each method answers what the operation does; mutations wait for their ticket. */
export class TestDataset {
  readonly parts: Parts;
  readonly caller: Caller;
  private readonly staged: (() => void) | undefined;

  constructor(parts: Parts, caller: Caller, staged?: () => void) {
    this.parts = parts;
    this.caller = caller;
    this.staged = staged;
  }

  static async open(options: TestDatasetOptions = {}): Promise<TestDataset> {
    const meta = options.meta ?? new MemoryMetaStore();
    const clock = new TestClock();
    const random = seededBytes(1);
    const logged: Logged[] = [];
    const log = (details: object, message: string) => void logged.push({ details, message });
    const caches = options.caches ?? treeCaches({ inodes: 4096, names: 4096, chunkBytes: 2 ** 20 });
    const segments = new DiskOfSize();
    const store = await Store.open({
      meta,
      segments,
      hashKey: HASH_KEY,
      clock,
      random,
      log: { error: log, warn: log, info: log },
      settings: { strict: true, relaxedSyncMs: 1000, caches },
    });
    const { tree, rows } = newTree(1, null, caches);
    store.trees.set(tree.id, tree);
    store.stageRows(rows);
    const records = new Records(store, tree, options.cookieOf ?? nameCookie(HASH_KEY));
    const segmentLog = new SegmentLog({ segments, ids: new CountedIds() });
    const writeBack = await WriteBack.open({
      store,
      segmentLog,
      clock,
      log: { error: log, warn: log, info: log },
      dirtyBytesMax: 64 * 2 ** 20,
      diskReserveBytes: 0,
    });
    const inos = store.sequence('next/ino/1', ROOT_INO + 1, undefined);
    const reclaimer = { wake() {} };
    const parts = { datasetId: 1, records, clock, random, inos, writeBack, reclaimer };
    const context = { ...parts, reservesSnapshots: true, nests: () => true };
    const turn = new Turn(records, clock.now());
    turn.put(rootDirectory(clock.now()));
    turn.count(0, 1);
    await store.durable(turn.commit());
    return new TestDataset({ context, clock, meta, logged, segments }, SUPERUSER);
  }

  as(caller: Caller): TestDataset {
    return new TestDataset(this.parts, caller);
  }

  /** Calls `staged` in the turn in which an operation is staged. */
  observing(staged: () => void): TestDataset {
    return new TestDataset(this.parts, this.caller, staged);
  }

  /** From now on the disk has so much room. */
  async setFreeBytes(bytes: number): Promise<void> {
    const { segments, clock, context } = this.parts;
    segments.free = bytes;
    clock.milliseconds += 10_000;
    context.writeBack.freeBytes();
    await new Promise(setImmediate);
  }

  get records(): Records {
    return this.parts.context.records;
  }

  root(): Promise<Attributes> {
    return resolved(() => rootAttributes(this.parts.context));
  }

  stat(node: NodeRef): Promise<Attributes> {
    return resolved(() => attributes(this.parts.context, node));
  }

  statMany(inos: readonly number[]): Promise<(Attributes | undefined)[]> {
    return resolved(() => attributesOfMany(this.parts.context, inos));
  }

  lookup(directory: NodeRef, name: Name): Promise<Attributes | undefined> {
    return resolved(() => lookup(this.parts.context, this.caller, directory, bytes(name)));
  }

  /** The node at a path from the root. */
  async at(path: string): Promise<Attributes> {
    let node: Attributes | undefined = await this.root();
    for (const name of path.split('/')) {
      node = node && (await this.lookup(node, name));
    }
    if (!node) throw new FsError('ENOENT', path);
    return node;
  }

  async granted(node: NodeRef, wanted: number): Promise<number> {
    return (await resolved(() => access(this.parts.context, this.caller, node, wanted))).granted;
  }

  async readlink(node: NodeRef): Promise<Buffer> {
    return (await resolved(() => readlink(this.parts.context, node))).target;
  }

  create(directory: NodeRef, name: Name, how: CreateHow | Changes = {}): Promise<Created> {
    const full: CreateHow = 'verifier' in how || 'changes' in how ? how : { mode: 'unchecked', changes: how };
    return this.mutation((call) => create(this.parts.context, call, directory, bytes(name), full));
  }

  /** A regular file; its attributes as created. */
  async file(directory: NodeRef, name: Name, changes: Changes = {}): Promise<Attributes> {
    return (await this.create(directory, name, { mode: 'guarded', changes })).node;
  }

  mkdir(directory: NodeRef, name: Name, changes: Changes = {}): Promise<Created> {
    return this.mutation((call) => mkdir(this.parts.context, call, directory, bytes(name), changes));
  }

  /** A directory that everybody may change. */
  async directory(parent: NodeRef, name: Name, changes: Changes = { mode: 0o777 }): Promise<Attributes> {
    return (await this.mkdir(parent, name, changes)).node;
  }

  symlink(directory: NodeRef, name: Name, target: Name, changes: Changes = {}): Promise<Created> {
    const { context } = this.parts;
    return this.mutation((call) => symlink(context, call, directory, bytes(name), bytes(target), changes));
  }

  mknod(directory: NodeRef, name: Name, node: SpecialNode): Promise<Created> {
    return this.mutation((call) => mknod(this.parts.context, call, directory, bytes(name), node));
  }

  setattr(
    node: NodeRef,
    changes: Changes,
    guard?: { seconds: number; nanoseconds: number },
  ): Promise<Change> {
    return this.mutation((call) => setattr(this.parts.context, call, node, changes, guard));
  }

  /** UNSTABLE. */
  write(node: NodeRef, offset: number, data: Name): Promise<Written> {
    const { context } = this.parts;
    return this.mutation((call) => write(context, call, node, offset, bytes(data), false));
  }

  remove(directory: NodeRef, name: Name): Promise<Removed> {
    return this.mutation((call) => remove(this.parts.context, call, directory, bytes(name)));
  }

  rmdir(directory: NodeRef, name: Name): Promise<Removed> {
    return this.mutation((call) => rmdir(this.parts.context, call, directory, bytes(name)));
  }

  rename(source: NodeRef, sourceName: Name, target: NodeRef, targetName: Name): Promise<Renamed> {
    const { context } = this.parts;
    return this.mutation((call) =>
      rename(context, call, source, bytes(sourceName), target, bytes(targetName)),
    );
  }

  link(node: NodeRef, directory: NodeRef, name: Name): Promise<Linked> {
    return this.mutation((call) => link(this.parts.context, call, node, directory, bytes(name)));
  }

  /** All entries, asked for in pages. */
  async list(directory: NodeRef, limit = 1000): Promise<DirectoryEntry[]> {
    const { context } = this.parts;
    const entries: DirectoryEntry[] = [];
    let after = { high: 0, low: 0 };
    for (;;) {
      const page = await resolved(() => readdir(context, this.caller, directory, after, limit));
      entries.push(...page.entries);
      if (page.end) return entries;
      const last = page.entries.at(-1)!;
      after = { high: last.cookieHigh, low: last.cookieLow };
    }
  }

  async names(directory: NodeRef): Promise<string[]> {
    return (await this.list(directory)).map(({ name }) => name.toString()).sort();
  }

  /** As {@link record}, also when it is not resident. */
  fetched(node: NodeRef): Promise<InodeRecord> {
    return resolved(() => attempt(() => this.record(node)));
  }

  record(node: NodeRef): InodeRecord {
    return this.records.inode(node.ino)!;
  }

  /** Puts a record into a state that takes many operations to reach. */
  force(node: NodeRef, fields: Partial<InodeRecord>): void {
    const turn = new Turn(this.records, this.parts.clock.now());
    turn.put(withFields(this.record(node), fields));
    turn.commit();
  }

  /** The directory changes, and nobody tells the listing that is kept of it. */
  untold(directory: NodeRef): void {
    this.force(directory, { change: this.record(directory).change + 1 });
  }

  /** Names that all lead to the root, many at once: for tests of listings alone. */
  async fill(directory: NodeRef, names: readonly string[]): Promise<void> {
    const turn = new Turn(this.records, this.parts.clock.now());
    for (const name of names) turn.addEntry(directory.ino, Buffer.from(name), ROOT_INO, FileType.directory);
    entriesChanged(turn, this.record(directory), { entries: names.length, directories: 0 }, []);
    await this.records.store.durable(turn.commit());
  }

  /** Takes such names away, all at once. */
  async empty(directory: NodeRef, names: readonly Buffer[]): Promise<void> {
    const turn = new Turn(this.records, this.parts.clock.now());
    const edits = names.map((name) => ({ at: turn.entry(directory.ino, name)!, name: null }));
    for (const name of names) turn.removeEntry(directory.ino, name);
    entriesChanged(turn, this.record(directory), { entries: -names.length, directories: 0 }, edits);
    await this.records.store.durable(turn.commit());
  }

  /** Everything staged is applied. */
  async applied(): Promise<void> {
    const { store } = this.records;
    await store.durable(store.ticket);
  }

  private async mutation<R>(run: (call: Mutation<R>) => Eventual<Staged<R>>): Promise<R> {
    const receipt = () => {
      this.staged?.();
      return undefined;
    };
    const { result, ticket } = await run({ caller: this.caller, receipt });
    await this.records.store.settled(ticket);
    return result;
  }
}

/** The code of the refusal, which `task` must meet. */
export async function refusal(task: Promise<unknown>): Promise<FsErrorCode> {
  const error = await task.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FsError)) expect.fail(`No refusal, but ${error}`);
  return error.code;
}

/** What a client sees of an inode. */
export function shown(node: Attributes) {
  const { type, mode, nlink, uid, gid, size, allocated, mountedDataset } = node;
  const { atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds } = node;
  const { ctimeSeconds, ctimeNanoseconds, ino, generation, rdevMajor, rdevMinor } = node;
  return {
    ...{
      ino,
      generation,
      type,
      mode,
      nlink,
      uid,
      gid,
      size,
      allocated,
      rdevMajor,
      rdevMinor,
      mountedDataset,
    },
    ...{ atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds },
  };
}

export function bytes(name: Name): Buffer {
  return typeof name === 'string' ? Buffer.from(name) : name;
}

/** A throw in the same turn becomes a rejection like a later one. */
async function resolved<T>(answer: () => Eventual<T>): Promise<T> {
  return answer();
}

function rootDirectory({ seconds, nanoseconds }: Timestamp): InodeRecord {
  return inodeRecord({
    ino: ROOT_INO,
    generation: 1,
    type: FileType.directory,
    mode: 0o755,
    nlink: 2,
    uid: 0,
    gid: 0,
    size: 4096,
    allocated: 0,
    rdevMajor: 0,
    rdevMinor: 0,
    atimeSeconds: seconds,
    atimeNanoseconds: nanoseconds,
    mtimeSeconds: seconds,
    mtimeNanoseconds: nanoseconds,
    ctimeSeconds: seconds,
    ctimeNanoseconds: nanoseconds,
    mountedDataset: 0,
    btimeSeconds: seconds,
    btimeNanoseconds: nanoseconds,
    change: 1,
    entryCount: 0,
    parents: [],
    dataId: 0,
    windowLog2: 20,
    verifier: null,
    flags: 0,
    projectId: 0,
    target: null,
    tail: null,
  });
}
