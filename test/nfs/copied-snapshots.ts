// Snapshots as whole copies in memory, taken through the live file system: nothing is shared, so nothing shows through.

import type { Timestamp } from '../../src/clock.ts';
import { DatasetError, type Datasets } from '../../src/datasets/datasets.ts';
import {
  type Attributes,
  type Caller,
  type Cookie,
  type DirectoryEntry,
  type FileSystem,
  FileType,
  type NodeRef,
} from '../../src/fs/file-system.ts';
import { FsError } from '../../src/fs/fs-error.ts';
import { accessBits } from '../../src/fs/permission.ts';
import type { ServedSnapshots } from '../../src/nfs/snapshots-directory.ts';
import type { Snapshot, SnapshotDeletePlan, SnapshotInfo } from '../../src/snapshots/snapshots.ts';

const ROOT: Caller = { uid: 0, gid: 0, groups: [] };

interface Copy {
  readonly attributes: Attributes;
  readonly parent: number;
  readonly entries: readonly DirectoryEntry[];
  readonly data: Buffer;
}

export class CopiedSnapshots implements ServedSnapshots {
  /** What the next snapshot says of its time; the time of day unless given. */
  nextCreatedAt: Timestamp | undefined;
  readonly busy = new Set<string>();
  private readonly datasets: Datasets;
  private readonly all = new Map<number, Snapshot[]>();
  private readonly changed = new Map<number, number>();
  private nextId = 1;

  constructor(datasets: Datasets) {
    this.datasets = datasets;
  }

  of(datasetId: number): readonly Snapshot[] {
    return this.all.get(datasetId) ?? [];
  }

  find(datasetId: number, name: string): Snapshot | undefined {
    return this.of(datasetId).find((snapshot) => snapshot.name === name);
  }

  byId(datasetId: number, id: number): Snapshot | undefined {
    return this.of(datasetId).find((snapshot) => snapshot.id === id);
  }

  changedAt(datasetId: number): Timestamp {
    return { seconds: 1_700_000_000 + (this.changed.get(datasetId) ?? 0), nanoseconds: 5 };
  }

  async create(name: string, snapshotName: string): Promise<readonly SnapshotInfo[]> {
    const dataset = this.datasets.get(name)!;
    if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(snapshotName))
      throw new DatasetError('invalid', 'This is no name');
    if (this.find(dataset.id, snapshotName)) throw new DatasetError('exists', 'There is one already');
    const nodes = new Map<number, Copy>();
    const root = await dataset.fileSystem.root();
    await copyInto(nodes, dataset.fileSystem, root, root.ino);
    const snapshot: Snapshot = {
      id: this.nextId++,
      datasetId: dataset.id,
      name: snapshotName,
      uuid: `uuid-${this.nextId}`,
      createdAt: this.nextCreatedAt ?? { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 },
      fileSystem: copiedFileSystem(dataset.id, root.ino, nodes),
    };
    this.put(dataset.id, [...this.of(dataset.id), snapshot]);
    return [{ id: snapshot.id } as SnapshotInfo];
  }

  async delete(fullName: string): Promise<SnapshotDeletePlan> {
    const [name, snapshotName] = fullName.split('@') as [string, string];
    const { id } = this.datasets.get(name)!;
    if (this.busy.has(snapshotName)) throw new DatasetError('busy', 'It is held');
    this.put(
      id,
      this.of(id).filter((snapshot) => snapshot.name !== snapshotName),
    );
    return { names: [fullName], bytes: 0 };
  }

  private put(datasetId: number, snapshots: Snapshot[]): void {
    this.all.set(datasetId, snapshots);
    this.changed.set(datasetId, (this.changed.get(datasetId) ?? 0) + 1);
  }
}

async function copyInto(
  nodes: Map<number, Copy>,
  from: FileSystem,
  attributes: Attributes,
  parent: number,
): Promise<void> {
  const { type, ino, size } = attributes;
  const copy = { attributes, parent, entries: [], data: Buffer.alloc(0) };
  nodes.set(ino, copy);
  if (type === FileType.file)
    nodes.set(ino, { ...copy, data: Buffer.concat((await from.read(ROOT, attributes, 0, size)).buffers) });
  if (type === FileType.symlink)
    nodes.set(ino, { ...copy, data: (await from.readlink(ROOT, attributes)).target });
  if (type !== FileType.directory) return;
  const { entries } = await from.readdir(ROOT, attributes, { high: 0, low: 0 }, 10_000);
  nodes.set(ino, { ...copy, entries });
  const found = await from.attributesOf(entries.map((entry) => entry.ino));
  for (const node of found) if (node) await copyInto(nodes, from, node, ino);
}

function copiedFileSystem(datasetId: number, rootIno: number, nodes: Map<number, Copy>): FileSystem {
  const at = ({ ino, generation }: NodeRef): Copy => {
    const copy = nodes.get(ino);
    if (copy?.attributes.generation !== generation) throw new FsError('ESTALE');
    return copy;
  };
  const refused = () => {
    throw new FsError('EROFS');
  };
  return {
    datasetId,
    root: () => nodes.get(rootIno)!.attributes,
    attributes: async (node) => at(node).attributes,
    attributesOf: (inos) => inos.map((ino) => nodes.get(ino)?.attributes),
    lookup(_caller, directory, name) {
      const { attributes, parent, entries } = at(directory);
      const text = name.toString('latin1');
      if (text === '.') return attributes;
      if (text === '..') return nodes.get(parent)!.attributes;
      const entry = entries.find((one) => one.name.equals(name));
      return entry && nodes.get(entry.ino)!.attributes;
    },
    access(caller, node, wanted) {
      const { attributes } = at(node);
      return { granted: accessBits(caller, attributes, wanted), attributes };
    },
    readlink(_caller, node) {
      const { attributes, data } = at(node);
      return { target: data, attributes };
    },
    read(_caller, node, offset, count) {
      const { attributes, data } = at(node);
      const bytes = data.subarray(offset, offset + count);
      return { buffers: [bytes], count: bytes.length, eof: offset + count >= data.length, attributes };
    },
    readdir(_caller, directory, after, limit) {
      const { attributes, parent, entries } = at(directory);
      const behind = entries.filter((entry) => isBehind(entry, after));
      const page = behind.slice(0, limit);
      return { entries: page, end: page.length === behind.length, directory: attributes, parent };
    },
    usage: () => ({
      totalBytes: 4096,
      freeBytes: 0,
      availableBytes: 0,
      totalInodes: nodes.size,
      freeInodes: 0,
      usedBytes: 4096,
      usedInodes: nodes.size,
    }),
    settled: () => undefined,
    setattr: refused,
    write: refused,
    commit: refused,
    create: refused,
    mkdir: refused,
    symlink: refused,
    mknod: refused,
    remove: refused,
    rmdir: refused,
    rename: refused,
    link: refused,
  };
}

function isBehind({ cookieHigh, cookieLow }: DirectoryEntry, { high, low }: Cookie): boolean {
  return cookieHigh > high || (cookieHigh === high && cookieLow > low);
}
