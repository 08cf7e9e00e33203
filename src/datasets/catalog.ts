// All datasets by id and by name, and which is nested in which.

import type { DatasetEntry } from './dataset-entry.ts';
import type { DatasetRecord } from './dataset-record.ts';
import { DatasetError } from './datasets.ts';
import { parentNameOf, ROOT_NAME } from './names.ts';

export class Catalog {
  /** The datasets with a reservation. */
  readonly reserving = new Set<DatasetEntry>();
  private readonly byName = new Map<string, DatasetEntry>();
  private readonly byId = new Map<number, DatasetEntry>();

  get size(): number {
    return this.byId.size;
  }

  find(name: string): DatasetEntry | undefined {
    return this.byName.get(name);
  }

  findId(id: number): DatasetEntry | undefined {
    return this.byId.get(id);
  }

  /** @throws DatasetError `not-found` */
  get(name: string): DatasetEntry {
    const entry = this.byName.get(name);
    if (entry) return entry;
    const shown = JSON.stringify(name.length <= 60 ? name : `${name.slice(0, 57)}...`);
    throw new DatasetError('not-found', `There is no dataset ${shown}`);
  }

  /** In no order. */
  all(): Iterable<DatasetEntry> {
    return this.byId.values();
  }

  /** `root` first, then by name, what is nested in a dataset right behind it. */
  list(): DatasetEntry[] {
    return [...this.byId.values()].sort(
      (a, b) => Number(b.id === 0) - Number(a.id === 0) || compareNames(a.name, b.name),
    );
  }

  /** The dataset that one of this name would be nested in. @throws DatasetError `not-found` when it is not there */
  parentFor(name: string): DatasetEntry | undefined {
    const parentName = parentNameOf(name);
    if (parentName === undefined) return undefined;
    const parent = this.byName.get(parentName);
    if (parent) return parent;
    throw new DatasetError(
      'not-found',
      `There is no dataset ${parentName} for ${name} to be nested in: create it first`,
    );
  }

  /** Adds a dataset whose parent, if its name has one, is there already. */
  add(entry: DatasetEntry): void {
    this.byId.set(entry.id, entry);
    this.byName.set(entry.name, entry);
    this.nest(entry);
  }

  /** Takes a dataset and all nested in it out. */
  remove(entry: DatasetEntry): void {
    entry.parent?.children.delete(entry);
    for (const each of entry.subtree()) {
      this.byId.delete(each.id);
      this.byName.delete(each.name);
      this.reserving.delete(each);
    }
  }

  /** Gives an entry a record with other properties. */
  update(entry: DatasetEntry, record: DatasetRecord): void {
    entry.record = record;
    this.refresh(entry);
  }

  /** Gives `top` and all nested in it the records under their new names, in whichever dataset these are nested. */
  rename(top: DatasetEntry, records: ReadonlyMap<DatasetEntry, DatasetRecord>): void {
    for (const entry of records.keys()) this.byName.delete(entry.name);
    for (const [entry, record] of records) {
      entry.record = record;
      this.byName.set(record.name, entry);
    }
    top.parent?.children.delete(top);
    this.nest(top);
  }

  private nest(entry: DatasetEntry): void {
    entry.parent = this.byName.get(parentNameOf(entry.name) ?? '');
    entry.parent?.children.add(entry);
    this.refresh(entry);
  }

  private refresh(entry: DatasetEntry): void {
    entry.refresh();
    if (entry.reservation > 0) this.reserving.add(entry);
    else this.reserving.delete(entry);
  }
}

/** @throws DatasetError `busy`: dataset 0 is what the volume begins with. */
export function checkNotRoot(entry: DatasetEntry, verb: string): void {
  if (entry.id !== 0) return;
  throw new DatasetError('busy', `Cannot ${verb} ${ROOT_NAME}: it is dataset 0, which is always there`);
}

/** "/" sorts before every other character, so that "a/b" comes before "a-b". */
function compareNames(a: string, b: string): number {
  const [left, right] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')];
  return left < right ? -1 : left > right ? 1 : 0;
}
