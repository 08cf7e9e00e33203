// `cairn dataset …`: one verb for each call of the service.

import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { addCreate } from './dataset-create.ts';
import { addDelete } from './dataset-delete.ts';
import { addInfo, addList } from './dataset-list.ts';
import { addGet, addInherit, addSet } from './dataset-properties.ts';
import { addGetDefault, addRename, addSetDefault } from './dataset-rename.ts';
import { addSnapshotVerbs } from './dataset-snapshots.ts';

export function addDatasetCommand(program: Command, io: CliIo): void {
  const dataset = program.command('dataset').description('make, limit, look at and delete datasets');
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
    addSnapshotVerbs,
  ]) {
    add(dataset, io);
  }
}
