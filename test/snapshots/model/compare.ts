// A whole file system beside what it may be: names, attributes and bytes.

import type { Attributes, FileSystem, NodeRef } from '../../../src/fs/file-system.ts';
import { mtimeOf } from '../../fs/model/client.ts';
import { check, type FileState, settledState } from '../../fs/model/file-state.ts';
import type { State } from '../../fs/model/oracle.ts';
import type { SnapshotWorld } from './world.ts';

const CALLER = { uid: 0, gid: 0, groups: [] };
const ALL = 1_000_000;

export interface Compared {
  /** Of all that may be, what is. */
  readonly state: State;
  readonly files: readonly Attributes[];
}

/** @throws Violation naming `what` */
export async function compare(
  world: SnapshotWorld,
  what: string,
  fileSystem: FileSystem,
  directories: readonly NodeRef[],
  expected: State,
): Promise<Compared> {
  const names = new Map<string, number>();
  for (const directory of directories) {
    const { entries } = await world.until(fileSystem.readdir(CALLER, directory, { high: 0, low: 0 }, ALL));
    for (const { name, ino } of entries)
      if (!directories.some((one) => one.ino === ino)) names.set(`${directory.ino}/${name.toString()}`, ino);
  }
  for (const place of new Set([...names.keys(), ...expected.names.keys()])) {
    const [is, should] = [names.get(place), expected.names.get(place)];
    check(is === should, `${what}: ${place} is inode ${is}, should be ${should}`);
  }
  const files = new Map<number, FileState>();
  const found: Attributes[] = [];
  for (const [ino, file] of expected.files) {
    const [node] = await world.until(fileSystem.attributesOf([ino]));
    check(node !== undefined, `${what}: inode ${ino} is gone`);
    const read = async (from: number, to: number) =>
      Buffer.concat((await world.until(fileSystem.read(CALLER, node, from, to - from))).buffers);
    const seen = { ...node, mtime: mtimeOf(node), read };
    files.set(ino, await settledState(`${what}: inode ${ino}`, file, seen));
    found.push(node);
  }
  await compareUsage(world, what, fileSystem, found, directories);
  return { state: { names, files }, files: found };
}

/** Only at rest: dirty bytes count in inodes, and not yet in the counters. */
async function compareUsage(
  world: SnapshotWorld,
  what: string,
  fileSystem: FileSystem,
  files: readonly Attributes[],
  directories: readonly NodeRef[],
): Promise<void> {
  const { totalBytes, freeBytes, totalInodes, freeInodes } = await world.until(fileSystem.usage());
  // A kept generation has no room for more; of a head the counters are in the rows (rows.ts).
  if (freeBytes > 0 || freeInodes > 0) return;
  const usedBytes = files.reduce((sum, { allocated }) => sum + allocated, 0);
  const usedInodes = files.length + directories.length;
  check(
    totalBytes === usedBytes && totalInodes === usedInodes,
    `${what} counts ${totalBytes} bytes and ${totalInodes} inodes, has ${usedBytes} and ${usedInodes}`,
  );
}
