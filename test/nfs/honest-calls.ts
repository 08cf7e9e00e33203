// One or more good calls of every procedure that is served, with handles that are good: what hostile records are made
// from. They make and take away the same few names, so that they stay good for as long as they are sent. For as long as
// they are made, `snapdir-write` must be on.

import {
  createFile,
  entry,
  guardedCreate,
  lookup,
  MOUNT,
  Mount,
  mkdir,
  mkdirArgs,
  modeChange,
  NFS,
  Nfs,
  NO_CHANGES,
  nfs,
  bytes as text,
  unguardedCreate,
} from './calls.ts';
import { type Captured, capturesOf } from './captures.ts';
import {
  type CallNumbers,
  type CallOptions,
  callMessage,
  counted,
  type RawClient,
  words,
} from './raw-client.ts';

const PORTMAP = 100000;
const CALLERS: readonly CallOptions[] = [
  {},
  { uid: 1000, gid: 1000, groups: [4, 24, 27] },
  { uid: 1001, gid: 1001, groups: Array.from({ length: 16 }, (_, i) => 100 + i) },
  { anonymous: true },
];

/** Messages without their record mark; what they name is made below `root`. */
export async function honestCalls(client: RawClient, root: Buffer): Promise<Buffer[]> {
  const directory = await mkdir(client, root, 'directory');
  await nfs(client, Nfs.setattr, Buffer.concat([counted(directory), modeChange(0o777), words(0)]));
  const file = await createFile(client, directory, 'file');
  await nfs(client, Nfs.setattr, Buffer.concat([counted(file), modeChange(0o666), words(0)]));
  const made = await nfs(client, Nfs.symlink, symlinkArgs(directory, 'link'));
  const link = made.body.subarray(12, 12 + made.body.readUInt32BE(8));
  const snapshots = await lookup(client, directory, '.snapshots');
  const snapshot = await mkdir(client, snapshots, 'snapshot');
  const messages = [
    ...nfsBodies({ directory, file, link }).map(
      ([procedure, body]) => [{ xid: 0, program: NFS, version: 3, procedure }, body] as const,
    ),
    ...snapshotBodies({ directory, snapshots, snapshot, old: await lookup(client, snapshot, 'file') }).map(
      ([procedure, body]) => [{ xid: 0, program: NFS, version: 3, procedure }, body] as const,
    ),
    ...MOUNT_BODIES.map(
      ([procedure, body]) => [{ xid: 0, program: MOUNT, version: 3, procedure }, body] as const,
    ),
    ...PORTMAP_BODIES.map(
      ([procedure, body]) => [{ xid: 0, program: PORTMAP, version: 2, procedure }, body] as const,
    ),
  ].map(([numbers, body]: readonly [CallNumbers, Buffer], at) =>
    callMessage(numbers, body, CALLERS[at % CALLERS.length]),
  );
  return [...messages, ...capturesOf('linux-6.1').map((captured) => readdressed(captured, directory))];
}

type Bodies = readonly (readonly [procedure: number, body: Buffer])[];

const MOUNT_BODIES: Bodies = [
  [Mount.null, Buffer.alloc(0)],
  [Mount.mnt, text('/victim/directory')],
  [Mount.mnt, text('/victim/directory@snapshot')],
  [Mount.mnt, text('/victim@-0.5s/directory')],
  [Mount.dump, Buffer.alloc(0)],
  [Mount.umnt, text('/victim/directory')],
  [Mount.umntall, Buffer.alloc(0)],
  [Mount.export, Buffer.alloc(0)],
];

const PORTMAP_BODIES: Bodies = [
  [0, Buffer.alloc(0)],
  [1, words(NFS, 3, 6, 2049)],
  [2, words(NFS, 3, 6, 2049)],
  [3, words(NFS, 3, 6, 0)],
  [4, Buffer.alloc(0)],
];

const symlinkArgs = (directory: Buffer, name: string): Buffer =>
  Buffer.concat([entry(directory, name), NO_CHANGES, text('../target')]);

interface Objects {
  readonly directory: Buffer;
  readonly file: Buffer;
  readonly link: Buffer;
}

function nfsBodies({ directory, file, link }: Objects): Bodies {
  const all = (...parts: Buffer[]) => Buffer.concat(parts);
  const data = Buffer.from('sixteen bytes...');
  const write = (stable: number) => all(counted(file), words(0, 4096, data.length, stable), counted(data));
  /** Everything set: mode, owner, group, size, and two times as given. */
  const changes = words(1, 0o666, 1, 1000, 1, 1000, 1, 0, 20_000, 2, 1_700_000_000, 1, 2, 1_700_000_000, 2);
  return [
    [0, Buffer.alloc(0)],
    [Nfs.getattr, counted(file)],
    [Nfs.setattr, all(counted(file), changes, words(0))],
    [Nfs.setattr, all(counted(file), modeChange(0o666), words(1, 1_700_000_000, 5))],
    [Nfs.lookup, entry(directory, 'file')],
    [Nfs.access, all(counted(directory), words(0x3f))],
    [Nfs.readlink, counted(link)],
    [Nfs.read, all(counted(file), words(0, 0, 20_000))],
    [Nfs.write, write(0)],
    [Nfs.write, write(2)],
    [Nfs.create, unguardedCreate(directory, 'spare')],
    [Nfs.create, guardedCreate(directory, 'guarded')],
    [Nfs.create, all(entry(directory, 'exclusive'), words(2, 1, 2))],
    [Nfs.mkdir, mkdirArgs(directory, 'folder')],
    [Nfs.symlink, symlinkArgs(directory, 'symlink')],
    [Nfs.mknod, all(entry(directory, 'pipe'), words(7), NO_CHANGES)],
    [Nfs.mknod, all(entry(directory, 'device'), words(3), NO_CHANGES, words(8, 1))],
    [Nfs.remove, entry(directory, 'spare')],
    [Nfs.remove, entry(directory, 'symlink')],
    [Nfs.remove, entry(directory, 'name')],
    [Nfs.rmdir, entry(directory, 'folder')],
    [Nfs.rename, all(entry(directory, 'guarded'), entry(directory, 'moved'))],
    [Nfs.rename, all(entry(directory, 'moved'), entry(directory, 'guarded'))],
    [Nfs.link, all(counted(file), entry(directory, 'name'))],
    [Nfs.readdir, all(counted(directory), words(0, 0, 0, 0, 4096))],
    [Nfs.readdirplus, all(counted(directory), words(0, 0, 0, 0, 1024, 8192))],
    [Nfs.fsstat, counted(directory)],
    [Nfs.fsinfo, counted(directory)],
    [Nfs.pathconf, counted(directory)],
    [Nfs.commit, all(counted(file), words(0, 0, 0))],
  ];
}

interface SnapshotObjects {
  readonly directory: Buffer;
  /** The `.snapshots` of the directory, the directory in a snapshot, and the file in that. */
  readonly snapshots: Buffer;
  readonly snapshot: Buffer;
  readonly old: Buffer;
}

function snapshotBodies({ directory, snapshots, snapshot, old }: SnapshotObjects): Bodies {
  const all = (...parts: Buffer[]) => Buffer.concat(parts);
  return [
    [Nfs.lookup, entry(directory, '.snapshots')],
    [Nfs.lookup, entry(snapshots, 'snapshot')],
    [Nfs.lookup, entry(snapshots, '..')],
    [Nfs.lookup, entry(snapshot, 'file')],
    [Nfs.getattr, counted(snapshots)],
    [Nfs.getattr, counted(old)],
    [Nfs.read, all(counted(old), words(0, 0, 20_000))],
    [Nfs.mkdir, mkdirArgs(snapshots, 'other')],
    [Nfs.rmdir, entry(snapshots, 'snapshot')],
    [Nfs.rename, all(entry(directory, 'guarded'), entry(snapshot, 'moved'))],
    [Nfs.readdir, all(counted(snapshots), words(0, 0, 0, 0, 4096))],
    [Nfs.readdirplus, all(counted(snapshots), words(0, 0, 0, 0, 1024, 8192))],
    [Nfs.readdirplus, all(counted(snapshot), words(0, 0, 0, 0, 1024, 8192))],
    [Nfs.fsstat, counted(snapshot)],
    [Nfs.fsinfo, counted(snapshots)],
  ];
}

/** A recorded call with the handle that comes first in it replaced, wherever it stands, by one of ours. */
function readdressed({ program, procedure, record }: Captured, handle: Buffer): Buffer {
  const message = record.subarray(4);
  if (program !== 'NFS' || procedure === 'NULL') return message;
  const verifierAt = 32 + message.readUInt32BE(28);
  const handleAt = verifierAt + 8;
  const theirs = message.subarray(handleAt, handleAt + 4 + message.readUInt32BE(handleAt));
  const pieces: Buffer[] = [];
  let at = 0;
  for (let found = handleAt; found >= 0; found = message.indexOf(theirs, at)) {
    pieces.push(message.subarray(at, found), counted(handle));
    at = found + theirs.length;
  }
  return Buffer.concat([...pieces, message.subarray(at)]);
}
