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
import { DATASETS_MAX, openEntry, type RegistryContext, unpromised } from './registry-context.ts';
import { defaultRow, nextIdRow, rowsOf } from './registry-rows.ts';
import { checkRootDirectory, makeRootDirectory, type RootDirectory } from './root-directory.ts';
import { fitsInQuotas } from './space.ts';

const NO_LIMITS = { quota: 0, refquota: 0, reservation: 0 };

/** @throws Wait and starts over, having staged nothing; DatasetError */
export function stageCreate(context: RegistryContext, name: string, options: CreateOptions): DatasetEntry {
  const root = { mode: options.mode ?? 0o755, uid: options.uid ?? 0, gid: options.gid ?? 0 };
  checkRootDirectory(root);
  const stage = prepareDataset(context, { name, properties: propertiesOf(options), referencedBytes: 0 });
  return stage(() => context.trees.create(), { ...ORIGINAL, root });
}

/** Dataset 0, in a store that has no registry yet. */
export function stageRoot(context: RegistryContext): void {
  const root = { mode: 0o755, uid: 0, gid: 0 };
  const made = { ...ORIGINAL, root, name: ROOT_NAME, properties: {} };
  const entry = stageDataset(context, context.trees.create(), made);
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

export interface DatasetOrigin extends Pick<DatasetRecord, 'parentId' | 'parentUuid' | 'expiresAt'> {
  /** What to make in its tree; null where that has one already. */
  readonly root: RootDirectory | null;
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
  /** @param treeOf makes the tree, having staged nothing where it throws */
  return (treeOf: () => Tree, origin: DatasetOrigin): DatasetEntry => {
    const entry = stageDataset(context, treeOf(), { ...origin, name, properties });
    mountPoint?.commit();
    catalog.add(entry);
    return entry;
  };
}

function stageDataset(
  context: RegistryContext,
  tree: Tree,
  made: DatasetOrigin & Pick<DatasetRecord, 'name' | 'properties'>,
): DatasetEntry {
  const { store } = context;
  const { clock, random } = store.parts;
  const { root, ...given } = made;
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
  const entry = openEntry(context, record, tree);
  if (root) makeRootDirectory(entry.operations, root);
  store.stageRows([...rowsOf(record), nextIdRow(context.nextId)]);
  return entry;
}

function checkRoom(
  { catalog, datasetsMax = DATASETS_MAX, diskFreeBytes }: RegistryContext,
  name: string,
): void {
  if (catalog.size >= datasetsMax) {
    throw new DatasetError('no-space', `Cannot create ${name}: a volume has at most ${datasetsMax} datasets`);
  }
  if (diskFreeBytes() <= 0) throw new DatasetError('no-space', `Cannot create ${name}: the disk is full`);
}

function propertiesOf({ readonly, properties = {} }: CreateOptions): Readonly<Record<string, string>> {
  return withChanges(readonly === undefined ? {} : { readonly: readonly ? 'on' : 'off' }, properties);
}
