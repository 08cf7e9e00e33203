// `cairn dataset …`: one verb for each call of the service.

import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { addClone, addPromote } from './dataset-clone.ts';
import { addCreate } from './dataset-create.ts';
import { addDelete } from './dataset-delete.ts';
import { addDetach } from './dataset-detach.ts';
import { addDiff } from './dataset-diff.ts';
import { addInfo, addList } from './dataset-list.ts';
import { addGet, addInherit, addSet } from './dataset-properties.ts';
import { addGetDefault, addRename, addSetDefault } from './dataset-rename.ts';
import { addRestore } from './dataset-restore.ts';
import { addRollback } from './dataset-rollback.ts';
import { addSnapshot } from './snapshot-create.ts';
import { addDeleteSnapshot } from './snapshot-delete.ts';
import { addHold, addHolds, addRelease } from './snapshot-holds.ts';
import { addListSnapshots } from './snapshot-list.ts';

export function addDatasetCommand(program: Command, io: CliIo): void {
  const dataset = program
    .command('dataset')
    .description('make, limit, look at and delete datasets and their snapshots');
  for (const add of [
    addCreate,
    addList,
    addInfo,
    addDelete,
    addSetDefault,
    addGetDefault,
    addSet,
    addGet,
    addInherit,
    addRename,
    addSnapshot,
    addListSnapshots,
    addDeleteSnapshot,
    addHold,
    addRelease,
    addHolds,
    addDiff,
    addDetach,
    addClone,
    addPromote,
    addRollback,
    addRestore,
  ]) {
    add(dataset, io);
  }
}
