// What is killed: each operation as a client asks for it, and at which places.

import * as calls from '../../rig/nfs-calls.mjs';
import { UNSTABLE_BYTES, withMount, writeFile } from './volume.mjs';

/** By every change that is one batch. */
const BATCH = ['a batch is built', 'a batch is written', 'a change is durable'];
const KEEP = ['a generation is kept', 'what waited is flushed', 'a kept generation is complete'];
const NEW_DATASET = ['a dataset is recorded', 'a mount point is made'];
const SWEEP = [
  'a page of notes is visited',
  ['a page of notes is visited', 2],
  'all notes are visited',
  'the end of a sweep is staged',
];
const DRAINED_TREE = [
  'a page of inodes is gone',
  ['a page of inodes is gone', 3],
  'inodes of a tree are gone',
  'rows of a tree are gone',
  'a tree lets go of others',
  'a tree is gone',
];

/** Bytes that no reply has promised: a snapshot that is taken now has them all the same. */
const WITH_UNSTABLE = {
  unpromised: 'd:/unstable',
  prepare: (server) =>
    withMount(server, 'd', (client, root) =>
      writeFile(client, root, 'unstable', Buffer.alloc(UNSTABLE_BYTES, 'B'), calls.Stable.unstable),
    ),
};

/** What a restore makes, at first under another name, and what it makes it in. */
const isRestored = (name) => /^d$|^d:\/(\.cairn-restore-|restored|renamed|$)/.test(name);

/**
 * `prepare` is done before the places count, `run` is the operation: it ends when it is acknowledged. A place is a name, or
 * a name and the number of the passage; `next` is where the next start is killed. `unpromised` has bytes that no reply has
 * promised. What is acknowledged as a job may come later: until it has ended, names that are `isInTheMaking` show anything.
 */
export const OPERATIONS = {
  create: {
    run: ({ admin }) => admin.call('CreateDataset', { name: 'd/new', properties: { quota: '1GiB' } }),
    places: [...NEW_DATASET, 'a root directory is made', ...BATCH, 'the journal is in LevelDB'],
  },
  snapshot: {
    ...WITH_UNSTABLE,
    run: ({ admin }) => admin.call('CreateSnapshot', { source: 'd', name: 'new' }),
    places: [...KEEP, 'a snapshot is recorded', 'a snapshot is held', 'a change is durable'],
    next: [['a kept generation is complete', 'the end of a sweep is staged']],
  },
  'snapshot -r': {
    ...WITH_UNSTABLE,
    run: ({ admin }) => admin.call('CreateSnapshot', { source: 'd', name: 'new', recursive: true }),
    places: [
      ['a generation is kept', 2],
      ['a kept generation is complete', 2],
      ['a snapshot is recorded', 2],
      'a snapshot is held',
      'a change is durable',
    ],
  },
  clone: {
    run: ({ admin }) => admin.call('CloneDataset', { source: 'd@a', name: 'd/clone' }),
    places: [
      'a branch is made',
      'an origin is held',
      'inode numbers are reserved',
      'a dataset is recorded',
      'a change is durable',
    ],
  },
  'clone of what is live': {
    ...WITH_UNSTABLE,
    run: ({ admin }) => admin.call('CloneDataset', { source: 'd', name: 'clone' }),
    places: [...KEEP, 'a clone is staged', 'a change is durable'],
  },
  rollback: {
    ...WITH_UNSTABLE,
    run: ({ admin }) => admin.call('RollbackDataset', { name: 'd@a' }),
    places: [
      'what the live tree has is flushed',
      'the state before is kept',
      'a new head is made',
      'the target is held',
      'the head is switched',
      'mount points are moved',
      'the new head is recorded',
      'the old head is given up',
      'a change is durable',
      'what only a head showed is gone',
    ],
  },
  'rollback --discard': {
    ...WITH_UNSTABLE,
    run: ({ admin }) => admin.call('RollbackDataset', { name: 'd@a', discard: true }),
    places: [
      'a new head is made',
      'the head is switched',
      'the old head is given up',
      ...BATCH,
      'a page of notes is visited',
      'what only a head showed is gone',
    ],
  },
  hold: {
    run: ({ admin }) => admin.call('HoldSnapshot', { name: 'd@b', tag: 'mine' }),
    places: ['a snapshot record is changed', 'a change is durable'],
  },
  release: {
    run: ({ admin }) => admin.call('ReleaseSnapshot', { name: 'other@held', tag: 'legal' }),
    places: ['a snapshot record is changed', 'a change is durable'],
  },
  'delete snapshots': {
    run: ({ admin }) => admin.call('DeleteSnapshot', { labels: [{ key: 'which', value: 'second' }] }),
    places: [
      'a snapshot record is gone',
      'a snapshot is released',
      'a list of snapshots is changed',
      'a change is durable',
      ...SWEEP,
    ],
    next: [['a page of notes is visited', 'all notes are visited']],
  },
  'delete a clone': {
    run: ({ admin }) => admin.call('DeleteDataset', { name: 'c' }),
    places: [
      'snapshots of a dataset are gone',
      'a tree is given up',
      'a change is durable',
      'what only a head showed is gone',
    ],
  },
  'delete an origin': {
    run: ({ admin }) => admin.call('DeleteDataset', { name: 'd', recursive: true }),
    places: [
      'snapshots of a dataset are gone',
      ['snapshots of a dataset are gone', 2],
      'a tree is given up',
      'a change is durable',
      'snapshots of a deleted dataset are released',
      'all snapshots of a deleted dataset are released',
      'what only a head showed is gone',
      ...DRAINED_TREE,
      'frames are copied',
      'frames are forwarded',
      'a segment is forgotten',
      'a segment file is gone',
    ],
    next: [
      ['a change is durable', 'a page of inodes is gone'],
      ['a change is durable', 'snapshots of a deleted dataset are released'],
    ],
  },
  'delete a nested dataset': {
    run: ({ admin }) => admin.call('DeleteDataset', { name: 'd/in' }),
    places: ['a mount point is gone', 'a change is durable', 'old versions of a tree are gone'],
  },
  drain: {
    run: ({ server }) => withMount(server, 'd/in', (client, root) => client.must(calls.remove(root, 'wide'))),
    places: [
      'a batch is written',
      'a batch of a drain is staged',
      'a batch of a drain is durable',
      ['a batch of a drain is durable', 2],
    ],
    next: [['a batch of a drain is durable', 'a batch of a drain is staged']],
  },
  restore: {
    run: ({ admin }) => admin.call('Restore', { snapshot: 'd@a', path: '/folder', destination: '/restored' }),
    places: [
      'a restore is recorded',
      'what an earlier run has restored is gone',
      'a node is restored',
      ['a node is restored', 4],
      'bytes are restored',
      'a restore is whole',
      'a restore is durable',
      'a restore has its name',
      'a restore is in its place',
    ],
    next: [['a restore is whole', 'what an earlier run has restored is gone']],
    isInTheMaking: isRestored,
  },
  'restore over what is there': {
    run: ({ admin }) =>
      admin.call('Restore', { snapshot: 'd@a', path: '/folder', destination: '/renamed', replace: true }),
    places: ['a restore has its name', 'a restore is in its place'],
    next: [['a restore is in its place', 'what was replaced is gone']],
    isInTheMaking: isRestored,
  },
  detach: {
    run: ({ admin }) => admin.call('Detach', { name: 'c' }),
    places: [
      'a detach is recorded',
      'a page of records is flattened',
      ['a page of records is flattened', 3],
      'a tree is flat',
      'all records are flattened',
      'data is copied',
      'copies are named',
      'all data is copied',
      'dependants hold what is released',
      'a tree has no parent',
      'a parent is released',
      'a detached tree is visited',
      'the end of a sweep is staged',
    ],
    next: [
      ['all records are flattened', 'copies are named'],
      ['copies are named', 'a tree has no parent'],
    ],
    isInTheMaking: () => false,
  },
};
