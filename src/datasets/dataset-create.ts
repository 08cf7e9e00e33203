// A new dataset: its record and index, its tree with a root directory, and where it is nested the directory there,
// all in one batch.

import { ROOT_INO } from '../fs/operation.ts';
import type { Tree } from '../fs/tree.ts';
import { newUuid } from '../uuid.ts';
import type { DatasetEntry } from './dataset-entry.ts';
import type { DatasetRecord } from './dataset-record.ts';
import { type CreateOptions, DatasetError } from './datasets.ts';
import { checkLimits } from './limits-check.ts';
import { addMountPoint } from './mount-point.ts';
import { checkDatasetName, ROOT_NAME } from './names.ts';
import { limitsOf, withChanges } from './properties.ts';
import { checkDisk, DATASETS_MAX, openEntry, type RegistryContext, unpromised } from './registry-context.ts';
import { defaultRow, nextIdRow, rowsOf } from './registry-rows.ts';
import { checkRootDirectory, makeRootDirectory } from './root-directory.ts';
import { fitsInQuotas } from './space.ts';

const NO_LIMITS = { quota: 0, refquota: 0, reservation: 0 };

/** @throws Wait and starts over, having staged nothing; DatasetError */
export function stageCreate(context: RegistryContext, name: string, options: CreateOptions): DatasetEntry {
  const root = { mode: options.mode ?? 0o755, uid: options.uid ?? 0, gid: options.gid ?? 0 };
  checkRootDirectory(root);
  const stage = prepareDataset(context, { name, properties: propertiesOf(options), referencedBytes: 0 });
  const entry = stage({ tree: context.trees.create() }, ORIGINAL);
  makeRootDirectory(entry.operations, root);
  return entry;
}

/** Dataset 0, in a store that has no registry yet. */
export function stageRoot(context: RegistryContext): void {
  const given = { ...ORIGINAL, name: ROOT_NAME, properties: {} };
  const entry = stageDataset(context, { tree: context.trees.create() }, given);
  makeRootDirectory(entry.operations, { mode: 0o755, uid: 0, gid: 0 });
  context.store.stageRows([defaultRow(entry.id)]);
  context.catalog.add(entry);
}

export interface WantedDataset {
  readonly name: string;
  /** Canonical. */
  readonly properties: Readonly<Record<string, string>>;
  /** Of its tree. */
  readonly referencedBytes: number;
}

export type DatasetOrigin = Pick<DatasetRecord, 'parentId' | 'parentUuid' | 'expiresAt'>;

export interface HeadTree {
  readonly tree: Tree;
  /** Of a clone: the row of its inode numbers. */
  readonly inos?: Buffer;
}

const ORIGINAL = { parentId: null, parentUuid: null, expiresAt: null } as const;

/**
 * Checks all that could stand against a new dataset. What it returns stages it, in the same turn.
 *
 * @throws Wait; DatasetError; nothing is staged then
 */
export function prepareDataset(context: RegistryContext, wanted: WantedDataset) {
  const { catalog } = context;
  const { name, properties, referencedBytes } = wanted;
  checkDatasetName(name);
  if (catalog.find(name)) throw new DatasetError('exists', `There is a dataset ${name} already`);
  const around = catalog.parentFor(name);
  checkRoom(context, name);
  checkLimits({
    name,
    before: NO_LIMITS,
    after: limitsOf(properties),
    used: referencedBytes,
    referenced: referencedBytes,
    around,
    unpromised: unpromised(context, around),
  });
  if (around && !fitsInQuotas(around, referencedBytes, () => false)) {
    throw new DatasetError('no-space', `Cannot create ${name}: the quotas there do not leave room for it`);
  }
  const mountPoint = around && addMountPoint(around, name, context.nextId);
  return (head: HeadTree, origin: DatasetOrigin): DatasetEntry => {
    const entry = stageDataset(context, head, { ...origin, name, properties });
    mountPoint?.commit();
    catalog.add(entry);
    return entry;
  };
}

function stageDataset(
  context: RegistryContext,
  { tree, inos }: HeadTree,
  given: DatasetOrigin & Pick<DatasetRecord, 'name' | 'properties'>,
): DatasetEntry {
  const { store } = context;
  const { clock, random } = store.parts;
  const record: DatasetRecord = {
    ...given,
    id: context.nextId,
    uuid: newUuid(random),
    rootInode: ROOT_INO,
    createdAt: clock.now().seconds,
    isSnapshot: false,
    flags: 0,
    kind: 'filesystem',
    headTree: tree.id,
  };
  context.nextId++;
  const entry = openEntry(context, record, tree, inos);
  store.stageRows([...rowsOf(record), nextIdRow(context.nextId)]);
  return entry;
}

function checkRoom(context: RegistryContext, name: string): void {
  const { catalog, datasetsMax = DATASETS_MAX } = context;
  if (catalog.size >= datasetsMax) {
    throw new DatasetError('no-space', `Cannot create ${name}: a volume has at most ${datasetsMax} datasets`);
  }
  checkDisk(context, `create ${name}`);
}

function propertiesOf({ readonly, properties = {} }: CreateOptions): Readonly<Record<string, string>> {
  return withChanges(readonly === undefined ? {} : { readonly: readonly ? 'on' : 'off' }, properties);
}
