// The interface `Datasets` in memory, with the rules of names and properties that the real registry has: for tests of
// what stands above it.

import { randomUUID } from 'node:crypto';
import {
  type CreateOptions,
  type Dataset,
  DatasetError,
  type DatasetInfo,
  type Datasets,
  type DeletePlan,
} from '../../src/datasets/datasets.ts';
import { checkDatasetName, parentNameOf } from '../../src/datasets/names.ts';
import { effectiveProperties, limitsOf, withChanges, withoutLocal } from '../../src/datasets/properties.ts';
import type { FileSystem } from '../../src/fs/file-system.ts';

interface Row {
  readonly id: number;
  name: string;
  readonly uuid: string;
  properties: Readonly<Record<string, string>>;
  usedBytes: number;
  usedInodes: number;
}

const DISK_BYTES = 1024 ** 4;

export class MemoryDatasets implements Datasets {
  readonly rows = new Map<string, Row>();
  /** What the last create was told. */
  created: CreateOptions = {};
  #nextId = 1;
  #default = 'root';

  constructor() {
    this.rows.set('root', {
      id: 0,
      name: 'root',
      uuid: randomUUID(),
      properties: {},
      usedBytes: 0,
      usedInodes: 1,
    });
  }

  get(name: string): Dataset | undefined {
    const row = this.rows.get(name);
    return row && this.#dataset(row);
  }

  byId(id: number): Dataset | undefined {
    return this.list().find((dataset) => dataset.id === id);
  }

  resolve(): undefined {
    return undefined;
  }

  defaultDataset(): Dataset {
    return this.get(this.#default)!;
  }

  list(): readonly Dataset[] {
    const names = [...this.rows.keys()].filter((name) => name !== 'root').sort();
    return ['root', ...names].map((name) => this.#dataset(this.rows.get(name)!));
  }

  info(name: string): DatasetInfo {
    const row = this.#row(name);
    const limits = limitsOf(row.properties);
    const properties = effectiveProperties(this.#holder(row));
    return {
      id: row.id,
      name,
      uuid: row.uuid,
      parentId: null,
      parentUuid: null,
      rootInode: 1,
      createdAt: 1_790_000_000,
      isReadonly: properties.some((property) => property.name === 'readonly' && property.value === 'on'),
      isSnapshot: false,
      isDefault: name === this.#default,
      generation: 1,
      flags: 0,
      kind: 'filesystem',
      usedBytes: row.usedBytes,
      usedInodes: row.usedInodes,
      availableBytes: (limits.quota || DISK_BYTES) - row.usedBytes,
      referencedBytes: row.usedBytes,
      liveBytes: row.usedBytes,
      snapshotBytes: 0,
      cloneBytes: 0,
      storedBytes: row.usedBytes,
      pendingBytes: 0,
      origin: null,
      expiresAt: null,
      ...limits,
      properties: [
        { name: 'used', value: String(row.usedBytes), source: 'none' },
        { name: 'creation', value: '1790000000', source: 'none' },
        ...properties,
      ],
    };
  }

  async create(name: string, options: CreateOptions): Promise<DatasetInfo> {
    checkDatasetName(name);
    if (this.rows.has(name)) throw new DatasetError('exists', `Cannot create ${name}: there is one already`);
    const parent = parentNameOf(name);
    if (parent !== undefined) this.#row(parent);
    const readonly: Record<string, string> = options.readonly ? { readonly: 'on' } : {};
    const properties = withChanges(readonly, options.properties ?? {});
    this.created = options;
    const id = this.#nextId++;
    this.rows.set(name, { id, name, uuid: randomUUID(), properties, usedBytes: 0, usedInodes: 1 });
    return this.info(name);
  }

  async planDelete(name: string, recursive: boolean): Promise<DeletePlan> {
    const names = this.#withNested(name);
    if (name === 'root' || names.includes(this.#default)) {
      throw new DatasetError('busy', `Cannot delete ${name}: it is the default dataset`);
    }
    if (names.length > 1 && !recursive) {
      throw new DatasetError('busy', `Cannot delete ${name}: there are datasets below it; -r takes them too`);
    }
    const rows = names.map((each) => this.#row(each));
    return {
      names,
      bytes: rows.reduce((sum, row) => sum + row.usedBytes, 0),
      inodes: rows.reduce((sum, row) => sum + row.usedInodes, 0),
    };
  }

  async delete(name: string, recursive: boolean): Promise<DeletePlan> {
    const plan = await this.planDelete(name, recursive);
    for (const each of plan.names) this.rows.delete(each);
    return plan;
  }

  async rename(name: string, newName: string): Promise<DatasetInfo> {
    checkDatasetName(newName);
    if (name === 'root') throw new DatasetError('denied', 'Cannot rename root');
    if (this.rows.has(newName)) throw new DatasetError('exists', `There is a dataset ${newName} already`);
    for (const old of this.#withNested(name)) {
      const row = this.#row(old);
      this.rows.delete(old);
      row.name = newName + old.slice(name.length);
      this.rows.set(row.name, row);
    }
    return this.info(newName);
  }

  async setDefault(name: string): Promise<void> {
    this.#default = this.#row(name).name;
  }

  async set(name: string, properties: Readonly<Record<string, string>>): Promise<DatasetInfo> {
    const row = this.#row(name);
    row.properties = withChanges(row.properties, properties);
    return this.info(name);
  }

  async inherit(name: string, property: string): Promise<DatasetInfo> {
    const row = this.#row(name);
    row.properties = withoutLocal(row.properties, property);
    return this.info(name);
  }

  pending() {
    return { datasets: 1, bytes: 4096, inodes: 2 };
  }

  #row(name: string): Row {
    const row = this.rows.get(name);
    if (!row) throw new DatasetError('not-found', `There is no dataset ${name}`);
    return row;
  }

  #withNested(name: string): string[] {
    this.#row(name);
    return [...this.rows.keys()].filter((each) => each === name || each.startsWith(`${name}/`));
  }

  #holder(row: Row): Parameters<typeof effectiveProperties>[0] {
    const parent = parentNameOf(row.name);
    return {
      name: row.name,
      properties: row.properties,
      parent: parent === undefined ? undefined : this.#holder(this.#row(parent)),
    };
  }

  #dataset({ id, name }: Row): Dataset {
    return {
      id,
      name,
      readonly: this.info(name).isReadonly,
      snapdir: 'hidden',
      snapdirWrite: false,
      get fileSystem(): FileSystem {
        throw new Error('The datasets of this test have no files');
      },
    };
  }
}
