// Clients of the volume: each call runs by itself, tells the oracle what it did in the turn in which it was staged or
// accepted, and what its reply has promised.

import type { Eventual } from '../../../src/eventual.ts';
import type { DirtyPiece } from '../../../src/fs/dirty-ranges.ts';
import type {
  Attributes,
  Caller,
  Created,
  Change as FileChange,
  Mutation,
  NodeRef,
  Renamed,
  Staged,
  Written,
} from '../../../src/fs/file-system.ts';
import { decodeInode } from '../../../src/fs/inode-codec.ts';
import { withFields } from '../../../src/fs/inode-record.ts';
import { type Item, VersionedKind } from '../../../src/fs/item.ts';
import { isWhiteout } from '../../../src/fs/versioned-value.ts';
import { keys } from '../../../src/kv/keys.ts';
import { lentBuffers } from '../../../src/lent-buffers.ts';
import type { Command } from './command.ts';
import { check, type FileState, settledRuns, Violation } from './file-state.ts';
import { keepGeneration } from './keep-generation.ts';
import type { Change, Event, Oracle } from './oracle.ts';
import { patternOf } from './pattern.ts';
import type { Product } from './product.ts';
import type { Process } from './world.ts';

const CALLER: Caller = { uid: 0, gid: 0, groups: [] };
// A look at bytes after they were flushed shows it.
lentBuffers.overwriteGiven = true;

/** As the network has it: a buffer that is used again once its bytes are flushed. */
function lent(bytes: Buffer): Buffer {
  const data = lentBuffers.take(bytes.length);
  data.set(bytes);
  return data;
}

/** What an operation may be refused with while all is well. */
const REFUSALS = new Set(['ENOENT', 'EEXIST', 'ESTALE']);

/** Where a client's calls go: a dataset, as long as it is there. */
export interface ClientWorld {
  readonly process: Process;
  /** Told of each item of the dataset's head, in the turn in which it is staged. */
  onStage: (ticket: number, item: Item) => void;
}

export interface ClientOptions {
  readonly product: Product;
  readonly world: ClientWorld;
  readonly oracle: Oracle;
  /** By directory number of a command. */
  readonly directories: readonly NodeRef[];
  readonly windowLog2: number;
  readonly trace: string[];
}

/** Lives until the next crash, as what it talks to does. */
export class Client {
  /** Calls without a reply. */
  readonly waiting = new Set<Promise<void>>();
  /** Handles of the files that there are or were. */
  private readonly nodes = new Map<number, NodeRef>();
  failure: unknown;
  private readonly options: ClientOptions;
  private readonly accepted = new Map<Buffer, (mtime: string) => void>();
  /** Of the staged records. */
  private readonly sizes = new Map<number, number>();
  private readonly allocated = new Map<number, number>();

  constructor(options: ClientOptions) {
    this.options = options;
    const { world } = options;
    const { writeBack } = world.process;
    const accept = writeBack.accept.bind(writeBack);
    writeBack.accept = (file, piece: DirtyPiece, effects) => {
      accept(file, piece, effects);
      this.accepted.get(piece.data)?.(timeOf(effects.mtime));
    };
    this.watchItems();
  }

  /** Files that a crash has left, or that the dataset shows from this turn on: no others. */
  found(nodes: readonly Attributes[]): void {
    this.sizes.clear();
    this.allocated.clear();
    for (const node of nodes) {
      this.nodes.set(node.ino, node);
      this.sizes.set(node.ino, node.size);
      this.allocated.set(node.ino, node.allocated);
    }
  }

  /** Begins a call; its outcome shows in {@link failure} and in the oracle. */
  call(number: number, command: Command): void {
    const call = this.run(number, command)
      .then(
        () => this.note(number, 'done'),
        (error: unknown) => this.refused(number, error),
      )
      .finally(() => this.waiting.delete(call));
    this.waiting.add(call);
  }

  private note(number: number, what: string): void {
    this.options.trace.push(`#${number} ${what}`);
  }

  private refused(number: number, error: unknown): void {
    const { product, world } = this.options;
    const code = error instanceof product.fsError.FsError ? error.code : undefined;
    this.note(number, `refused: ${code ?? String(error)}`);
    if (code && (REFUSALS.has(code) || (code === 'EIO' && world.process.store.poisoned))) return;
    this.failure ??= error;
  }

  private async run(number: number, command: Command): Promise<void> {
    const { store, writeBack, tree, reclaimer, segmentLog } = this.options.world.process;
    switch (command.kind) {
      case 'create':
        return this.create(number, command);
      case 'write':
        return this.write(number, command);
      case 'commit':
        return this.commit(command.ino);
      case 'read':
        return this.read(command);
      case 'keep':
        return this.keep(number);
      case 'flush': {
        const files = [...tree.dirty.values()];
        const file = files[command.choice % files.length];
        return file && writeBack.flush(file);
      }
      case 'reclaim':
        if (command.rollOver) await segmentLog.rollOver();
        await store.durable(store.ticket);
        reclaimer.wake();
        return;
      default:
        return this.change(number, command);
    }
  }

  /** A mutation with one event; its result says what it did, if anything. */
  private async mutation<R>(
    number: number,
    call: (call: Mutation<R>) => Eventual<Staged<R>>,
    changeOf: (result: R) => Change | undefined,
  ): Promise<void> {
    const { oracle, world } = this.options;
    const { store } = world.process;
    const noted: Event[] = [];
    const receipt = (result: R) => {
      const change = changeOf(result);
      if (change) noted.push(oracle.staged(store.ticket, change));
      this.note(number, `staged as ${store.ticket}`);
      return undefined;
    };
    const { ticket } = await call({ caller: CALLER, receipt });
    await store.settled(ticket);
    for (const event of noted) event.acknowledged = true;
  }

  private create(number: number, { place, mode, how }: Command & { kind: 'create' }): Promise<void> {
    const { directory, name } = this.resolve(place);
    const size = how === 'unchecked' ? 0 : undefined;
    return this.mutation<Created>(
      number,
      (call) => this.fileSystem.create(call, directory, name, { mode: how, changes: { mode, size } }),
      ({ node, directory: change }) => {
        this.nodes.set(node.ino, node);
        const mtime = mtimeOf(node);
        if (change.before === change.after) return { kind: 'size', ino: node.ino, size: 0, mtime };
        this.setWindow(node);
        return { kind: 'create', place, ino: node.ino, mtime, mode };
      },
    );
  }

  /** In the turn, and so in the batch, in which the file is made. */
  private setWindow(node: Attributes): void {
    const { product, world, windowLog2 } = this.options;
    const { records, clock } = world.process.operations;
    const turn = new product.turn.Turn(records, clock.now());
    turn.put(withFields(turn.inode(node), { windowLog2 }));
    turn.commit();
  }

  private async write(
    number: number,
    { ino, from, bytes, stable }: Command & { kind: 'write' },
  ): Promise<void> {
    const { oracle, world } = this.options;
    const { store } = world.process;
    const data = lent(patternOf(number, from, from + bytes));
    const change = (mtime: string): Change => ({
      kind: 'write',
      ino,
      id: number,
      from,
      to: from + bytes,
      mtime,
    });
    let event: Event | undefined;
    this.accepted.set(data, (mtime) => {
      event = oracle.accepted(store.ticket, change(mtime));
      this.note(number, `accepted behind ${store.ticket}`);
    });
    let written: Staged<Written>;
    try {
      written = await this.fileSystem.write({ caller: CALLER }, this.node(ino), from, data, stable);
    } finally {
      this.accepted.delete(data);
    }
    const { result, ticket } = written;
    check(result.count === bytes, `write ${number} took ${result.count} of ${bytes} bytes`);
    check(result.stable === stable, `write ${number} says ${result.stable ? '' : 'not '}stable`);
    event ??= oracle.staged(ticket, change(mtimeOf(result.after)));
    if (!stable) return;
    event.stableTicket = Math.min(event.stableTicket, ticket);
    this.note(number, `stable with ${ticket}`);
    await store.settled(ticket);
    event.acknowledged = true;
  }

  private async commit(ino: number): Promise<void> {
    const { oracle, world } = this.options;
    const { store } = world.process;
    const promised = oracle.unpromised(ino);
    const { ticket } = await this.fileSystem.commit({ caller: CALLER }, this.node(ino));
    for (const event of promised) event.stableTicket = Math.min(event.stableTicket, ticket);
    await store.settled(ticket);
    for (const event of promised) event.acknowledged = true;
  }

  /** The bytes and the size of one moment between the call and the reply. */
  private async read({ ino, from, bytes }: Command & { kind: 'read' }): Promise<void> {
    const { oracle } = this.options;
    const versions = oracle.versions.get(ino) ?? [];
    const first = Math.max(0, versions.length - 1);
    const { buffers, count, attributes, eof } = await this.fileSystem.read(
      CALLER,
      this.node(ino),
      from,
      bytes,
    );
    // What was staged in the turn of the read may be told only now.
    await new Promise((resolve) => setImmediate(resolve));
    void oracle.now;
    const read = Buffer.concat(buffers);
    const what = `a read of inode ${ino} from ${from}`;
    check(read.length === count, `${what} counts ${count} bytes and has ${read.length}`);
    check(eof === from + count >= attributes.size, `${what} says ${eof ? '' : 'not '}end of file`);
    const failures = versions.slice(first).map((version) => mismatch(what, version, from, read, attributes));
    if (!failures.includes(undefined))
      throw failures.at(-1) ?? new Violation(`${what}: the file is not there yet`);
  }

  private async keep(number: number): Promise<void> {
    const { oracle, world } = this.options;
    const { generation, ticket, completed } = keepGeneration(world.process);
    const event = oracle.staged(ticket, { kind: 'keep', generation });
    this.note(number, `keeps generation ${generation} as ${ticket}`);
    await world.process.store.settled(await completed);
    event.acknowledged = true;
  }

  private change(number: number, command: Command): Promise<void> {
    const { fileSystem } = this;
    switch (command.kind) {
      case 'truncate':
        return this.truncate(number, command);
      case 'mode':
      case 'mtime': {
        const changes =
          command.kind === 'mode' ? { mode: command.mode } : { mtime: { seconds: number, nanoseconds: 7 } };
        return this.mutation<FileChange>(
          number,
          (call) => fileSystem.setattr(call, this.node(command.ino), changes),
          ({ after }) =>
            command.kind === 'mode'
              ? { kind: 'mode', ino: command.ino, mode: after.mode }
              : { kind: 'mtime', ino: command.ino, mtime: mtimeOf(after) },
        );
      }
      case 'remove': {
        const { directory, name } = this.resolve(command.place);
        const { place } = command;
        return this.mutation(
          number,
          (call) => fileSystem.remove(call, directory, name),
          () => ({ kind: 'remove', place }),
        );
      }
      case 'link': {
        const { directory, name } = this.resolve(command.place);
        const { place, ino } = command;
        return this.mutation(
          number,
          (call) => fileSystem.link(call, this.node(ino), directory, name),
          () => ({ kind: 'link', place, ino }),
        );
      }
      case 'rename': {
        const from = this.resolve(command.place);
        const to = this.resolve(command.target);
        const { place, target } = command;
        return this.mutation<Renamed>(
          number,
          (call) => fileSystem.rename(call, from.directory, from.name, to.directory, to.name),
          ({ source }) => (source.before === source.after ? undefined : { kind: 'rename', place, target }),
        );
      }
      default:
        throw new Error(`No such command: ${command.kind}`);
    }
  }

  private truncate(number: number, { ino, size }: Command & { kind: 'truncate' }): Promise<void> {
    return this.mutation<FileChange>(
      number,
      (call) => this.fileSystem.setattr(call, this.node(ino), { size }),
      ({ after }) => ({ kind: 'size', ino, size, mtime: mtimeOf(after) }),
    );
  }

  /** What each item does to the records of inodes. */
  private watchItems(): void {
    const { oracle, world } = this.options;
    world.onStage = (ticket, { tree, writes, usedBytes }) => {
      let growth = 0;
      for (const { kind, key, value } of writes) {
        if (kind !== VersionedKind.inode) continue;
        const { ino } = keys.inode.parse(key);
        const record = value && !isWhiteout(value) ? decodeInode(ino, value) : null;
        const { size, allocated } = record ?? { size: 0, allocated: 0 };
        // A shrink over many windows goes in steps, which have no reply of their own.
        if (record && tree?.held.has(ino) && size < (this.sizes.get(ino) ?? 0))
          oracle.staged(ticket, { kind: 'size', ino, size, mtime: mtimeOf(record) });
        growth += allocated - (this.allocated.get(ino) ?? 0);
        this.sizes.set(ino, size);
        this.allocated.set(ino, allocated);
      }
      if (growth !== usedBytes)
        this.failure ??= new Violation(`item ${ticket} counts ${usedBytes} bytes, its inodes ${growth}`);
    };
  }

  private get fileSystem() {
    return this.options.world.process.fileSystem;
  }

  private node(ino: number): NodeRef {
    return this.nodes.get(ino)!;
  }

  private resolve(place: string): { directory: NodeRef; name: Buffer } {
    const [ino, name] = place.split('/');
    return {
      directory: this.options.directories.find((one) => one.ino === Number(ino))!,
      name: Buffer.from(name!),
    };
  }
}

function mismatch(
  what: string,
  version: FileState,
  from: number,
  read: Buffer,
  { size }: Attributes,
): Violation | undefined {
  if (size < version.sizeMin || size > version.sizeMax)
    return new Violation(`${what} shows ${size} bytes, should be ${version.sizeMin} to ${version.sizeMax}`);
  try {
    settledRuns(what, version, from, read);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

export function mtimeOf({ mtimeSeconds, mtimeNanoseconds }: Attributes): string {
  return timeOf({ seconds: mtimeSeconds, nanoseconds: mtimeNanoseconds });
}

function timeOf({
  seconds,
  nanoseconds,
}: {
  readonly seconds: number;
  readonly nanoseconds: number;
}): string {
  return `${seconds}.${nanoseconds}`;
}
