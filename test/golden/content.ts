// What the golden data directories hold: one tree with every kind of object, made through the file system, and what a
// client would see of it.

import { createHash } from 'node:crypto';
import type { Dataset } from '../../src/datasets/datasets.ts';
import { type Attributes, type Caller, FileType } from '../../src/fs/file-system.ts';
import { PLAIN_ITEM } from '../../src/fs/item.ts';
import { repackSegments } from '../../src/fs/repack.ts';
import { deleteDeadSegments } from '../../src/fs/segment-cleanup.ts';
import type { Handles } from '../../src/nfs/handle.ts';
import { encodeReply } from '../../src/nfs/reply-record.ts';
import type { Volume } from '../../src/volume.ts';

const ROOT: Caller = { uid: 0, gid: 0, groups: [] };
const call = { caller: ROOT };
const TIME = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };

/** Bytes that compress badly and are the same everywhere. */
function pattern(bytes: number, seed: number): Buffer {
  const data = Buffer.allocUnsafe(bytes);
  let state = seed;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    data[at] = state >>> 16;
  }
  return data;
}

/** Fills a new volume. */
export async function makeContent(volume: Volume): Promise<void> {
  const { datasets } = volume;
  const { fileSystem: fs } = datasets.get('root')!;
  const root = await fs.root();
  const settle = async (ticket: number) => fs.settled(ticket);
  const directory = async (parent: Attributes, name: string) => {
    const made = await fs.mkdir(call, parent, Buffer.from(name), { mode: 0o2750, uid: 7, gid: 8 });
    return made.result.node;
  };
  const file = async (parent: Attributes, name: string, pieces: readonly (readonly [number, Buffer])[]) => {
    const how = { mode: 'guarded', changes: { mode: 0o640, uid: 1000, gid: 100 } } as const;
    const { result } = await fs.create(call, parent, Buffer.from(name), how);
    for (const [offset, data] of pieces) await fs.write(call, result.node, offset, data, false);
    await settle((await fs.commit(call, result.node)).ticket);
    await settle((await fs.setattr(call, result.node, { mtime: TIME, atime: TIME })).ticket);
    return result.node;
  };
  const deep = await directory(await directory(root, 'a'), 'b');
  await file(root, 'empty', []);
  await file(root, 'inline', [[0, pattern(1000, 1)]]);
  await file(deep, 'frames', [[0, pattern(300_000, 2)]]);
  await file(deep, 'windows', [
    [0, pattern(10_000, 3)],
    [1_500_000, pattern(200_000, 4)],
  ]);
  await file(root, 'sparse', [[2 ** 40, pattern(5000, 5)]]);
  const linked = await file(root, 'linked', [[0, pattern(40_000, 6)]]);
  for (let i = 0; i < 8; i++) await fs.link(call, linked, deep, Buffer.from(`link${i}`));
  await fs.symlink(call, root, Buffer.from('symlink'), Buffer.from('a/b/frames'), {});
  await fs.mknod(call, root, Buffer.from('fifo'), { type: FileType.fifo, major: 0, minor: 0, changes: {} });
  await fs.mknod(call, root, Buffer.from('device'), {
    type: FileType.block,
    major: 8,
    minor: 17,
    changes: {},
  });
  const verifier = Buffer.from('exclusiv');
  await fs.create(call, root, Buffer.from('exclusive'), { mode: 'exclusive', verifier });
  await fs.create(call, root, Buffer.from([0xff, 0xfe, 0x80]), { mode: 'unchecked', changes: {} });
  await datasets.create('projects', { properties: { quota: '1GiB', 'user:note': 'golden' } });
  const nested = await datasets.create('projects/nested', { uid: 5, gid: 6, mode: 0o700 });
  const inner = datasets.byId(nested.id)!.fileSystem;
  const made = await inner.create(call, await inner.root(), Buffer.from('f'), {
    mode: 'guarded',
    changes: {},
  });
  await inner.write(call, made.result.node, 0, pattern(20_000, 7), true);
}

/** Rows that come and go: a moved frame, a kept generation and what changed since, a reply, data and a dataset to reclaim. */
export async function makePassing(volume: Volume): Promise<void> {
  const { datasets, store, segmentLog, writeBack } = volume;
  const { fileSystem: fs } = datasets.get('root')!;
  const root = await fs.root();
  const find = async (name: string) => (await fs.lookup(ROOT, root, Buffer.from(name)))!;
  const make = async (name: string, bytes: number, seed: number, step = 2 ** 20) => {
    const how = { mode: 'guarded', changes: {} } as const;
    const { result } = await fs.create(call, root, Buffer.from(name), how);
    for (let at = 0; at < 6 * step; at += step) {
      await fs.write(call, result.node, at, pattern(bytes / 6, seed), false);
    }
    await fs.settled((await fs.commit(call, result.node)).ticket);
  };
  await make('moved', 60_000, 8, 10_000);
  await make('filler', 900_000, 9, 150_000);
  await fs.settled((await fs.remove(call, root, Buffer.from('filler'))).ticket);
  await segmentLog.rollOver();
  await repackSegments(store, segmentLog, () => false);
  await deleteDeadSegments(store, segmentLog, () => false);
  // From here on what there is to reclaim stays.
  await volume.reclaimer.pause();
  await volume.trees.stop();
  await make('large', 60_000, 10);
  await fs.settled((await fs.remove(call, root, Buffer.from('large'))).ticket);
  const tree = store.trees.values().next().value!;
  const action = { kind: 'keep', holder: Buffer.from('golden') } as const;
  store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action, rows: [] });
  tree.accept++;
  await writeBack.flushAll(tree, tree.accept);
  const changed = await fs.setattr(call, await find('inline'), { mode: 0o600 });
  await fs.settled(changed.ticket);
  const reply = Buffer.from('0000000000000000', 'hex');
  const kept = {
    sequence: 1,
    seconds: 1_700_000_000,
    address: '192.0.2.1',
    xid: 7,
    procedure: 9,
    checksum: 8,
    reply,
  };
  const receipt = () => ({ slot: 0, value: encodeReply(kept) });
  await fs.settled((await fs.mkdir({ ...call, receipt }, root, Buffer.from('replied'), {})).ticket);
  await datasets.create('deleted', {});
  const { fileSystem: doomed } = datasets.get('deleted')!;
  await doomed.create(call, await doomed.root(), Buffer.from('f'), { mode: 'guarded', changes: {} });
  await datasets.delete('deleted', false);
}

export interface Seen {
  readonly path: string;
  /** As NFS gives it out. */
  readonly handle: string;
  readonly attributes: Record<string, number>;
  readonly content: string | undefined;
}

/** Everything that can be seen, dataset by dataset, names sorted. */
export async function seenOf(volume: Volume, handles: Handles): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const dataset of volume.datasets.list()) {
    await visit(dataset, handles, await dataset.fileSystem.root(), `/${dataset.name}`, seen);
  }
  return seen;
}

async function visit(
  dataset: Dataset,
  handles: Handles,
  node: Attributes,
  path: string,
  seen: Seen[],
): Promise<void> {
  const { fileSystem: fs } = dataset;
  seen.push({
    path,
    handle: handles.encode(dataset.id, node).toString('hex'),
    attributes: shown(node),
    content: await contentOf(dataset, node),
  });
  if (node.type !== FileType.directory || node.mountedDataset > 0) return;
  const { entries } = await fs.readdir(ROOT, node, { high: 0, low: 0 }, 1000);
  const names = entries.map(({ name }) => name).sort(Buffer.compare);
  for (const name of names) {
    const child = await fs.lookup(ROOT, node, name);
    await visit(dataset, handles, child!, `${path}/${name.toString('latin1')}`, seen);
  }
}

function shown(node: Attributes): Record<string, number> {
  const { ino, generation, type, mode, nlink, uid, gid, size, allocated, rdevMajor, rdevMinor } = node;
  const { atimeSeconds, mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds, mountedDataset } =
    node;
  const owner = { ino, generation, type, mode, nlink, uid, gid, size, allocated, rdevMajor, rdevMinor };
  return {
    ...owner,
    atimeSeconds,
    mtimeSeconds,
    mtimeNanoseconds,
    ctimeSeconds,
    ctimeNanoseconds,
    mountedDataset,
  };
}

/** A digest of the bytes: of a sparse file those around its only data. */
export async function contentOf({ fileSystem: fs }: Dataset, node: Attributes): Promise<string | undefined> {
  if (node.type === FileType.symlink) return (await fs.readlink(ROOT, node)).target.toString();
  if (node.type !== FileType.file) return undefined;
  const hash = createHash('sha256');
  const begin = node.size > 2 ** 30 ? 2 ** 40 - 4096 : 0;
  for (let at = begin; at < node.size; ) {
    const { buffers, count } = await fs.read(ROOT, node, at, 2 ** 20);
    for (const buffer of buffers) hash.update(buffer);
    at += count;
  }
  return hash.digest('hex');
}
