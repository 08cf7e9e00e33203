// The datasets of a volume: all in memory, read once at start, and changed only by one atomic batch a change.
//
// A change checks and stages in one turn, so of two that want the same name the second finds the first. What was
// staged shows at once; the promise resolves when it is durable. A process that dies in between comes back with or
// without the whole change.

import { attempt } from '../fs/attempt.ts';
import { FsError, type FsErrorCode } from '../fs/fs-error.ts';
import { DamageError } from '../fs/versioned-value.ts';
import { keys } from '../kv/keys.ts';
import { Catalog } from './catalog.ts';
import { stageCreate, stageRoot } from './dataset-create.ts';
import { planDelete, stageDelete } from './dataset-delete.ts';
import type { DatasetEntry } from './dataset-entry.ts';
import { infoOf } from './dataset-info.ts';
import { stageProperties } from './dataset-properties.ts';
import { stageRename } from './dataset-rename.ts';
import {
  type CreateOptions,
  type Dataset,
  DatasetError,
  type DatasetInfo,
  type Datasets,
  type DeletePlan,
} from './datasets.ts';
import { withChanges, withoutLocal } from './properties.ts';
import {
  availableTo,
  NO_SNAPSHOTS,
  openEntry,
  type RegistryContext,
  type RegistryParts,
} from './registry-context.ts';
import { defaultRow, loadRegistry, mendNextId } from './registry-rows.ts';

export class DatasetRegistry implements Datasets {
  /** For the snapshots, which are the layer above and stage what they change together with the registry. */
  readonly context: RegistryContext;

  private constructor(context: RegistryContext) {
    this.context = context;
  }

  /**
   * Reads the registry; in a store that has none, makes dataset 0, `root`, the default.
   *
   * @throws DamageError when the rows cannot be read or contradict each other
   */
  static async open(parts: RegistryParts): Promise<DatasetRegistry> {
    const { meta } = parts.store.parts;
    if (parts.repair) await mendNextId(meta);
    const loaded = await loadRegistry(meta);
    // A new root would be made over what is there.
    if (loaded.records.length === 0 && (await meta.page(keys.inode.range(), 1)).length > 0)
      throw new DamageError('Cannot read the registry of datasets: there is none, and there are files');
    const context: RegistryContext = {
      ...parts,
      catalog: new Catalog(),
      snapshots: NO_SNAPSHOTS,
      defaultId: loaded.defaultId ?? 0,
      nextId: loaded.nextId,
    };
    // The one around comes before those nested in it: its name is shorter.
    for (const record of loaded.records.toSorted((a, b) => a.name.length - b.name.length)) {
      const tree = parts.store.trees.get(record.headTree);
      if (!tree)
        throw new DamageError(`Cannot open dataset ${record.name}: its tree ${record.headTree} is not there`);
      context.catalog.add(openEntry(context, record, tree));
    }
    const registry = new DatasetRegistry(context);
    if (loaded.records.length === 0) {
      await registry.change(() => stageRoot(context));
    }
    return registry;
  }

  get(name: string): Dataset | undefined {
    return this.context.catalog.find(name);
  }

  byId(id: number): Dataset | undefined {
    return this.context.catalog.findId(id);
  }

  /** A path that begins with no dataset's name is one in the default dataset. */
  resolve(path: string): { readonly dataset: Dataset; readonly rest: readonly string[] } {
    const components = path.split('/').filter((component) => component !== '' && component !== '.');
    let found: Dataset = this.defaultDataset();
    let taken = 0;
    // A nested dataset has all that its name begins with around it, so the first miss ends the search.
    for (let name = '', count = 1; count <= components.length; count++) {
      name = count === 1 ? components[0]! : `${name}/${components[count - 1]}`;
      const entry = this.context.catalog.find(name);
      if (!entry) break;
      found = entry;
      taken = count;
    }
    return { dataset: found, rest: components.slice(taken) };
  }

  defaultDataset(): Dataset {
    return this.context.catalog.findId(this.context.defaultId)!;
  }

  list(): readonly Dataset[] {
    return this.context.catalog.list();
  }

  info(name: string): DatasetInfo {
    return this.infoOf(this.context.catalog.get(name));
  }

  async create(name: string, options: CreateOptions): Promise<DatasetInfo> {
    return this.infoOf(await this.change(() => stageCreate(this.context, name, options)));
  }

  async planDelete(name: string, recursive: boolean): Promise<DeletePlan> {
    return attempt(() => planDelete(this.context, name, recursive));
  }

  async delete(name: string, recursive: boolean): Promise<DeletePlan> {
    return this.change(() => stageDelete(this.context, name, recursive));
  }

  async rename(name: string, newName: string): Promise<DatasetInfo> {
    return this.infoOf(await this.change(() => stageRename(this.context, name, newName)));
  }

  async setDefault(name: string): Promise<void> {
    await this.change(() => {
      const { id } = this.context.catalog.get(name);
      this.context.store.stageRows([defaultRow(id)]);
      this.context.defaultId = id;
    });
  }

  async set(name: string, properties: Readonly<Record<string, string>>): Promise<DatasetInfo> {
    return this.infoOf(
      await this.change(() => stageProperties(this.context, name, (local) => withChanges(local, properties))),
    );
  }

  async inherit(name: string, property: string): Promise<DatasetInfo> {
    return this.infoOf(
      await this.change(() => stageProperties(this.context, name, (local) => withoutLocal(local, property))),
    );
  }

  pending(): { readonly datasets: number; readonly bytes: number; readonly inodes: number } {
    const { trees, bytes, inodes } = this.context.trees.pending();
    return { datasets: trees, bytes, inodes };
  }

  infoOf(entry: DatasetEntry): DatasetInfo {
    return infoOf(entry, {
      isDefault: entry.id === this.context.defaultId,
      availableBytes: availableTo(this.context, entry),
      cloneBytes: this.context.snapshots.cloneBytes(entry),
      origin: this.originOf(entry),
    });
  }

  /** Null once it is detached: it depends on nothing any more. */
  private originOf(entry: DatasetEntry): string | null {
    const { parentId, parentUuid } = entry.record;
    if (parentId === null || parentUuid === null || entry.tree.holds.length === 0) return null;
    const dataset = this.context.catalog.findId(parentId);
    // Cloned from its live tree.
    if (dataset?.record.uuid === parentUuid) return dataset.name;
    return this.context.snapshots.originOf(entry) ?? null;
  }

  /** Runs `stage` in one turn, again from the start when it must wait, and resolves when what it staged is durable. */
  async change<T>(stage: () => T): Promise<T> {
    try {
      const result = await attempt(stage);
      const { store } = this.context;
      await store.durable(store.ticket);
      return result;
    } catch (error) {
      if (!(error instanceof FsError && OUT_OF_ROOM.has(error.code))) throw error;
      throw new DatasetError('no-space', `The dataset around has no room for one more: ${error.message}`, {
        cause: error,
      });
    }
  }
}

/** What a directory answers that cannot take the one of a nested dataset. */
const OUT_OF_ROOM: ReadonlySet<FsErrorCode> = new Set(['ENOSPC', 'EDQUOT', 'EMLINK']);
