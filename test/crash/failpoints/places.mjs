// Where a server may be killed: in front of or behind a text that a file of dist/ says once. Several operations come by
// the same place, so the names here are those of places; runs.mjs says which operation is killed at which of them.

export const PLACES = {
  // Every change: what was staged in a turn becomes a batch.
  'a batch is built': { file: 'fs/commit-worker.js', behind: 'const writes = batch.close();' },
  'a batch is written': { file: 'fs/commit-worker.js', behind: 'await meta.write(writes, true);' },
  'the journal is in LevelDB': {
    file: 'kv/journaled-meta-store.js',
    behind: 'await this.level.writeSlowly(rowsThrough(file, through));',
  },
  'a change is durable': { file: 'datasets/registry.js', behind: 'await store.durable(store.ticket);' },

  // A generation is kept: snapshots, and clones of what is live.
  'a generation is kept': {
    file: 'fs/take-generation.js',
    behind: 'const generation = stageKeep(store, tree, holder);',
  },
  'what waited is flushed': {
    file: 'fs/take-generation.js',
    behind: 'await writeBack.flushAll(tree, generation + 1);',
  },
  'a kept generation is complete': {
    file: 'fs/take-generation.js',
    behind: 'await store.durable(store.ticket);',
  },
  'a snapshot is recorded': {
    file: 'snapshots/snapshot-create.js',
    behind: 'const { entry, publish } = stageSnapshot(context, one, now, given);',
  },
  'a snapshot is held': {
    file: 'snapshots/snapshot-create.js',
    behind: 'stageHold(store, tree, generation, snapshotHolder(entry.datasetId, entry.id));',
  },

  // Datasets: new ones, clones, rollbacks.
  'a dataset is recorded': {
    file: 'datasets/dataset-create.js',
    behind: 'const entry = stageDataset(context, head, { ...origin, name, properties });',
  },
  'a mount point is made': { file: 'datasets/dataset-create.js', behind: 'mountPoint?.commit();' },
  'a root directory is made': {
    file: 'datasets/dataset-create.js',
    behind: 'makeRootDirectory(entry.operations, root);',
  },
  'a branch is made': { file: 'snapshots/clone.js', behind: 'branch.stage();' },
  'an origin is held': {
    file: 'snapshots/clone.js',
    behind: 'stageHold(store, tree, generation, treeHolder(branch.tree.id));',
  },
  'inode numbers are reserved': {
    file: 'snapshots/clone.js',
    behind: 'const inos = stageInosOfClone(dataset.operations, datasets.nextId);',
  },
  'a clone is staged': {
    file: 'snapshots/clone.js',
    behind: 'const clone = stageClone(context, origin, name, options);',
  },
  'what the live tree has is flushed': {
    file: 'snapshots/rollback.js',
    behind: 'await flushWhatWaits(context, dataset);',
  },
  'the state before is kept': {
    file: 'snapshots/rollback.js',
    behind:
      'const staged = discard ? null : stageLastSnapshot(context, dataset, nameBefore(context, dataset));',
  },
  'a new head is made': { file: 'snapshots/rollback.js', behind: 'branch.stage();' },
  'the target is held': {
    file: 'snapshots/rollback.js',
    behind: 'stageHold(store, store.trees.get(tree), generation, treeHolder(branch.tree.id));',
  },
  'the head is switched': {
    file: 'snapshots/rollback.js',
    behind: 'const before = switchHead(operations, branch.tree);',
  },
  'mount points are moved': { file: 'snapshots/rollback.js', behind: 'mountPoints.commit();' },
  'the new head is recorded': {
    file: 'snapshots/rollback.js',
    behind: 'datasets.catalog.update(dataset, record);',
  },
  'the old head is given up': { file: 'snapshots/rollback.js', behind: 'datasets.trees.drop(before);' },

  // Snapshots: tags, names, deletion and the sweep behind it.
  'a snapshot record is changed': {
    file: 'snapshots/snapshot-changes.js',
    behind: 'context.shared.store.stageRows([snapshotRow(changed)]);',
  },
  'a snapshot record is gone': {
    file: 'snapshots/snapshot-delete.js',
    behind: 'store.stageRows([snapshotRowWithout(entry)]);',
  },
  'a snapshot is released': {
    file: 'snapshots/snapshot-delete.js',
    behind: 'stageRelease(store, tree, generation, holder);',
  },
  'a list of snapshots is changed': {
    file: 'snapshots/snapshot-delete.js',
    behind: 'store.stageRows([listRow(list, list.changed(clock.now()))]);',
  },
  'a page of notes is visited': {
    file: 'fs/sweep.js',
    behind: 'await this.store.durable(this.store.stage(item));',
  },
  'all notes are visited': { file: 'fs/sweep.js', before: 'await this.finish(tree, gap.leaving);' },
  'the end of a sweep is staged': {
    file: 'fs/sweep.js',
    behind: "store.stage({ ...PLAIN_ITEM, tree, generation, action: { kind: 'swept' }, rows: [] });",
  },
  'a detached tree is visited': {
    file: 'fs/sweep.js',
    behind: 'const history = keys.history.range(tree.id);',
  },

  // Datasets are deleted, and their trees drained.
  'a mount point is gone': { file: 'datasets/dataset-delete.js', behind: 'mountPoint?.commit();' },
  'snapshots of a dataset are gone': {
    file: 'datasets/dataset-delete.js',
    behind: 'context.snapshots.stageDelete(entry);',
  },
  'snapshots of a deleted dataset are released': {
    file: 'snapshots/dropped-snapshots.js',
    before: 'const isLast = rows.length < SNAPSHOTS_A_BATCH;',
  },
  'all snapshots of a deleted dataset are released': {
    file: 'snapshots/dropped-snapshots.js',
    before: 'this.all.splice(this.all.indexOf(job), 1);',
  },
  'a tree is given up': { file: 'datasets/dataset-delete.js', before: 'catalog.remove(top);' },
  'what only a head showed is gone': { file: 'datasets/dropped-trees.js', before: 'job.beheaded = true;' },
  'old versions of a tree are gone': {
    file: 'datasets/dropped-trees.js',
    before: 'await this.eachPage(keys.inode.range(tree.id)',
  },
  'a page of inodes is gone': {
    file: 'datasets/dropped-trees.js',
    behind: 'await drop(rows);',
  },
  'inodes of a tree are gone': {
    file: 'datasets/dropped-trees.js',
    before: 'await this.eachPage(keys.chunk.range(tree.id)',
  },
  'rows of a tree are gone': {
    file: 'datasets/dropped-trees.js',
    before: 'const rows = [keys.tree.key(tree.id), keys.stats.key(tree.id), keys.job.key(id)];',
  },
  'a tree lets go of others': { file: 'datasets/dropped-trees.js', before: 'this.letGoOfOthers(tree);' },
  'a tree is gone': {
    file: 'datasets/dropped-trees.js',
    before: 'this.jobs.splice(this.jobs.indexOf(job), 1);',
  },
  'a batch of a drain is staged': { file: 'fs/drain.js', before: 'await store.durable(ticket);' },
  'a batch of a drain is durable': { file: 'fs/drain.js', behind: 'await store.durable(ticket);' },
  'frames are copied': {
    file: 'fs/repack.js',
    behind: 'const { places, landed } = await segmentLog.copy(frames);',
  },
  'frames are forwarded': { file: 'fs/repack.js', behind: 'moved += frames.length;' },
  'a segment is forgotten': { file: 'fs/segment-cleanup.js', before: 'await segments.delete(segment);' },
  'a segment file is gone': { file: 'fs/segment-cleanup.js', behind: 'await segments.delete(segment);' },

  // Jobs: restores and detaches.
  'a restore is recorded': {
    file: 'snapshots/restore/restores.js',
    behind: 'store.stageRows([rowOf(id, record)]);',
  },
  'a node is restored': {
    file: 'snapshots/restore/copy-tree.js',
    behind: 'const copy = await this.make(node, { directory, name });',
  },
  'bytes are restored': { file: 'snapshots/restore/copy-tree.js', behind: 'onBytes(data.length);' },
  'a restore is whole': {
    file: 'snapshots/restore/restores.js',
    behind: 'await copy.copy(node, meanwhile);',
  },
  'a restore is durable': { file: 'snapshots/restore/restores.js', behind: 'await copy.commit();' },
  'a restore has its name': {
    file: 'snapshots/restore/restores.js',
    behind: 'const { result, ticket } = await swapIn(dataset.operations, swap);',
  },
  'a restore is in its place': {
    file: 'snapshots/restore/restores.js',
    behind: 'await this.parts.store.durable(ticket);',
  },
  'what an earlier run has restored is gone': {
    file: 'snapshots/restore/restores.js',
    before: 'const found = await find();',
  },
  'what was replaced is gone': { file: 'snapshots/restore/restores.js', before: 'return DONE;' },
  'a detach is recorded': {
    file: 'snapshots/detach/detaches.js',
    behind: 'store.stageRows([{ key: keys.job.key(id), value: encodeJob({ kind, tree: tree.id }) }]);',
  },
  'a page of records is flattened': {
    file: 'fs/detach/detach.js',
    behind: 'onProgress(versions.length, 0);',
  },
  'a tree is flat': {
    file: 'fs/detach/detach.js',
    behind: "store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action: { kind: 'flat' }, rows });",
  },
  'all records are flattened': { file: 'fs/detach/detach.js', behind: 'await flatten(parts, tree, []);' },
  'data is copied': { file: 'fs/detach/copy-frames.js', behind: 'await copied.add(key, inherited);' },
  'copies are named': {
    file: 'fs/detach/copy-frames.js',
    behind: 'isStaged = await attempt(() => stageOwn(parts, key, copied));',
  },
  'all data is copied': { file: 'fs/detach/detach.js', before: 'await pins.unpinned(tree);' },
  'dependants hold what is released': {
    file: 'fs/detach/release-parent.js',
    before: 'store.history.clear();',
  },
  'a tree has no parent': {
    file: 'fs/detach/release-parent.js',
    behind:
      "store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action: { kind: 'orphan' }, rows });",
  },
  'a parent is released': {
    file: 'fs/detach/detach.js',
    behind: 'stageParentRelease(store, tree, rows);',
  },
};
