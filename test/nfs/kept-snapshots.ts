// Snapshots as kept generations, with names in memory: what NFS needs of the registry, and nothing that outlives a run.

import type { Timestamp } from '../../src/clock.ts';
import type { DatasetEntry } from '../../src/datasets/dataset-entry.ts';
import { DatasetError } from '../../src/datasets/datasets.ts';
import { type KeptFileSystem, openKept } from '../../src/fs/kept-file-system.ts';
import { takeGeneration } from '../../src/fs/take-generation.ts';
import type { ServedSnapshots } from '../../src/nfs/snapshots-directory.ts';
import type { Snapshot, SnapshotDeletePlan, SnapshotInfo } from '../../src/snapshots/snapshots.ts';
import type { Volume } from '../../src/volume.ts';

const HOLDER = Buffer.from('test');

interface KeptSnapshot extends Snapshot {
  readonly fileSystem: KeptFileSystem;
}

export class KeptSnapshots implements ServedSnapshots {
  /** What the next snapshot says of its time; the time of day unless given. */
  nextCreatedAt: Timestamp | undefined;
  readonly busy = new Set<string>();
  private readonly volume: Volume;
  private readonly all = new Map<number, KeptSnapshot[]>();
  private readonly changes = new Map<number, number>();
  private nextId = 1;

  constructor(volume: Volume) {
    this.volume = volume;
  }

  of(datasetId: number): readonly KeptSnapshot[] {
    return this.all.get(datasetId) ?? [];
  }

  find(datasetId: number, name: string): KeptSnapshot | undefined {
    return this.of(datasetId).find((snapshot) => snapshot.name === name);
  }

  byId(datasetId: number, id: number): Snapshot | undefined {
    return this.of(datasetId).find((snapshot) => snapshot.id === id);
  }

  changedAt(datasetId: number): Timestamp {
    return { seconds: 1_700_000_000 + (this.changes.get(datasetId) ?? 0), nanoseconds: 5 };
  }

  async create(name: string, snapshotName: string): Promise<readonly SnapshotInfo[]> {
    const { id: datasetId, tree } = this.volume.datasets.get(name) as DatasetEntry;
    if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(snapshotName))
      throw new DatasetError('invalid', 'This is no name');
    if (this.find(datasetId, snapshotName)) throw new DatasetError('exists', 'There is one already');
    const { generation, ready } = takeGeneration(this.volume, tree, HOLDER);
    await ready;
    const snapshot: KeptSnapshot = {
      id: this.nextId++,
      datasetId,
      name: snapshotName,
      uuid: `${name}@${snapshotName}`,
      createdAt: this.nextCreatedAt ?? { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 },
      fileSystem: openKept(this.volume, datasetId, tree, generation),
    };
    this.put(datasetId, [...this.of(datasetId), snapshot]);
    return [{ id: snapshot.id } as SnapshotInfo];
  }

  async delete(fullName: string): Promise<SnapshotDeletePlan> {
    const [name, snapshotName] = fullName.split('@') as [string, string];
    const { id } = this.volume.datasets.get(name)!;
    if (this.busy.has(snapshotName)) throw new DatasetError('busy', 'It is held');
    this.find(id, snapshotName)!.fileSystem.close();
    const left = this.of(id).filter((snapshot) => snapshot.name !== snapshotName);
    this.put(id, left);
    return { names: [fullName], bytes: 0 };
  }

  private put(datasetId: number, snapshots: KeptSnapshot[]): void {
    this.all.set(datasetId, snapshots);
    this.changes.set(datasetId, (this.changes.get(datasetId) ?? 0) + 1);
  }
}
