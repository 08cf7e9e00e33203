// A new dataset: its record and index, its tree with a root directory, and where it is nested the directory there,
// all in one batch.

import { ROOT_INO } from '../fs/operation.ts';
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

const NO_LIMITS = { quota: 0, refquota: 0, reservation: 0 };

/** @throws Wait and starts over, having staged nothing; DatasetError */
export function stageCreate(context: RegistryContext, name: string, options: CreateOptions): DatasetEntry {
  const { catalog } = context;
  checkDatasetName(name);
  if (catalog.find(name)) throw new DatasetError('exists', `There is a dataset ${name} already`);
  const around = catalog.parentFor(name);
  checkRoom(context, name);
  const root = { mode: options.mode ?? 0o755, uid: options.uid ?? 0, gid: options.gid ?? 0 };
  checkRootDirectory(root);
  const properties = propertiesOf(options);
  checkLimits({
    name,
    before: NO_LIMITS,
    after: limitsOf(properties),
    used: 0,
    referenced: 0,
    around,
    unpromised: unpromised(context, around),
  });
  const mountPoint = around && addMountPoint(around, name, context.nextId);
  const entry = stageDataset(context, name, properties, root);
  mountPoint?.commit();
  catalog.add(entry);
  return entry;
}

/** Dataset 0, in a store that has no registry yet. */
export function stageRoot(context: RegistryContext): void {
  const entry = stageDataset(context, ROOT_NAME, {}, { mode: 0o755, uid: 0, gid: 0 });
  context.store.stageRows([defaultRow(entry.id)]);
  context.catalog.add(entry);
}

function stageDataset(
  context: RegistryContext,
  name: string,
  properties: Readonly<Record<string, string>>,
  root: RootDirectory,
): DatasetEntry {
  const { store, trees } = context;
  const { clock, random } = store.parts;
  const tree = trees.create();
  const record: DatasetRecord = {
    id: context.nextId,
    name,
    uuid: newUuid(random),
    parentId: null,
    parentUuid: null,
    rootInode: ROOT_INO,
    createdAt: clock.now().seconds,
    isSnapshot: false,
    flags: 0,
    kind: 'filesystem',
    headTree: tree.id,
    properties,
  };
  context.nextId++;
  const entry = openEntry(context, record, tree);
  makeRootDirectory(entry.operations, root);
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
