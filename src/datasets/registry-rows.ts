// The registry as rows: one record for each dataset, and an index of names and uuids beside it that is written in the
// same batch. At start the two must say the same; where they do not, the volume is damaged and is not served.

import { BLOCK } from '../fs/ids.ts';
import { DamageError } from '../fs/versioned-value.ts';
import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import { VolumeError } from '../kv/volume-error.ts';
import {
  type DatasetRecord,
  decodeDataset,
  decodeIndex,
  encodeDataset,
  encodeIndex,
  IndexKind,
} from './dataset-record.ts';
import { parentNameOf } from './names.ts';

/** The id of the next dataset; ids are not given again, so that an old handle leads to nothing new. */
const NEXT_ID_KEY = keys.system.key('next/dataset');
const NO_NAME = Buffer.alloc(0);

export interface LoadedRegistry {
  /** By id. */
  readonly records: readonly DatasetRecord[];
  /** Undefined in a store that has no registry yet. */
  readonly defaultId: number | undefined;
  readonly nextId: number;
}

/** A new or changed record and its index. */
export function rowsOf(record: DatasetRecord): Write[] {
  const index = encodeIndex(record.id);
  return [
    { key: keys.dataset.key(record.id), value: encodeDataset(record) },
    { key: nameKey(record.name), value: index },
    { key: uuidKey(record.uuid), value: index },
  ];
}

export function rowsWithout(record: DatasetRecord): Write[] {
  return [
    { key: keys.dataset.key(record.id), value: null },
    nameRowWithout(record.name),
    { key: uuidKey(record.uuid), value: null },
  ];
}

export function nameRowWithout(name: string): Write {
  return { key: nameKey(name), value: null };
}

export function defaultRow(id: number): Write {
  return { key: keys.datasetRegistry.key(IndexKind.default, NO_NAME), value: encodeIndex(id) };
}

export function nextIdRow(id: number): Write {
  return { key: NEXT_ID_KEY, value: encodeIndex(id) };
}

/** @throws DamageError when a row cannot be read, or the rows contradict each other. */
export async function loadRegistry(meta: MetaStore): Promise<LoadedRegistry> {
  const records: DatasetRecord[] = [];
  for await (const [key, value] of meta.rows(keys.dataset.range())) {
    records.push(decodeDataset(keys.dataset.parse(key).dataset, value));
  }
  const index = new Map<string, number>();
  for await (const [key, value] of meta.rows(keys.datasetRegistry.range())) {
    const { kind, name } = keys.datasetRegistry.parse(key);
    index.set(key.toString('latin1'), decodeIndex(value, describe(kind, name)));
  }
  const defaultKey = defaultRow(0).key.toString('latin1');
  const defaultId = index.get(defaultKey);
  index.delete(defaultKey);
  checkIndex(records, index);
  const stored = await storedNextId(meta);
  const nextId = stored ?? 0;
  if (records.length > 0 || stored !== undefined || defaultId !== undefined)
    checkTogether(records, defaultId);
  if (records.some(({ id }) => id >= nextId)) {
    throw new VolumeError(
      'DAMAGED',
      `Cannot open the volume: the next dataset would get the id ${nextId}, which is taken. Restore the data directory` +
        ' from a backup, or start with --repair: then the ids go on behind those in use. Let "cairn check" follow:' +
        ' more may be lost than the row that says so',
      { mendable: true },
    );
  }
  return { records, defaultId, nextId };
}

/** Durably: where the row of the next id is lost, or an older one, the ids go on behind those in use. */
export async function mendNextId(meta: MetaStore): Promise<void> {
  let used = -1;
  for await (const [key] of meta.rows(keys.dataset.range())) used = keys.dataset.parse(key).dataset;
  const nextId = (await storedNextId(meta)) ?? 0;
  // Datasets that are deleted may have had the next ones.
  if (used >= nextId) await meta.write([nextIdRow(used + 1 + BLOCK)], true);
}

async function storedNextId(meta: MetaStore): Promise<number | undefined> {
  const [next] = await meta.fetch([NEXT_ID_KEY]);
  return next && decodeIndex(next, 'the id of the next dataset');
}

/** Every record is found by its name and its uuid, and nothing else is found. */
function checkIndex(records: readonly DatasetRecord[], index: Map<string, number>): void {
  for (const { id, name, uuid } of records) {
    for (const [what, key] of [
      [`name "${name}"`, nameKey(name)],
      [`uuid ${uuid}`, uuidKey(uuid)],
    ] as const) {
      const found = index.get(key.toString('latin1'));
      if (found !== id) {
        throw contradiction(`the ${what} leads to ${found ?? 'no dataset'}, expected ${id}`);
      }
      index.delete(key.toString('latin1'));
    }
  }
  for (const [key, id] of index) {
    const { kind, name } = keys.datasetRegistry.parse(Buffer.from(key, 'latin1'));
    throw contradiction(`${describe(kind, name)} leads to ${id}, which has no such record`);
  }
}

function checkTogether(records: readonly DatasetRecord[], defaultId: number | undefined): void {
  const ids = new Set(records.map(({ id }) => id));
  const names = new Set(records.map(({ name }) => name));
  if (!ids.has(0)) throw contradiction('there is no dataset 0');
  if (defaultId === undefined || !ids.has(defaultId)) throw contradiction('the default dataset is not there');
  for (const { name } of records) {
    const around = parentNameOf(name);
    if (around !== undefined && !names.has(around)) throw contradiction(`"${name}" is nested in none`);
  }
}

function contradiction(what: string): DamageError {
  return new DamageError(`Cannot read the registry of datasets: ${what}`);
}

function describe(kind: number, name: Buffer): string {
  if (kind === IndexKind.name) return `the name ${JSON.stringify(name.toString())}`;
  if (kind === IndexKind.uuid) return `the uuid ${name.toString('hex')}`;
  return kind === IndexKind.default ? 'the default dataset' : `an index row of unknown kind ${kind}`;
}

function nameKey(name: string): Buffer {
  return keys.datasetRegistry.key(IndexKind.name, Buffer.from(name));
}

function uuidKey(uuid: string): Buffer {
  return keys.datasetRegistry.key(IndexKind.uuid, Buffer.from(uuid.replaceAll('-', ''), 'hex'));
}
