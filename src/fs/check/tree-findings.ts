// What the facts of a tree, all gathered, say about its inodes and its counters.

import { keys } from '../../kv/keys.ts';
import { type MetaStore, NOT_RESIDENT, type Write } from '../../kv/meta-store.ts';
import { decodeInode, encodeInode } from '../inode-codec.ts';
import { type InodeRecord, withFields } from '../inode-record.ts';
import { VersionedKind } from '../item.ts';
import { ROOT_INO } from '../operation.ts';
import { encodeStats } from '../stats-record.ts';
import { birthOf, sealed } from '../versioned-value.ts';
import type { Finding } from './finding.ts';
import type { InodeFacts, TreeFacts } from './inode-facts.ts';

export async function* treeFindings(
  meta: MetaStore,
  tree: number,
  facts: TreeFacts,
): AsyncGenerator<Finding> {
  let usedBytes = 0;
  let usedInodes = 0;
  let orphanBytes = 0;
  let orphanInodes = 0;
  for (const [ino, inode] of facts.inodes) {
    usedInodes++;
    usedBytes += inode.allocated;
    if (isOrphan(ino, inode)) {
      orphanInodes++;
      orphanBytes += inode.allocated;
    }
    if (!inode.isDamaged) yield* inodeFindings(meta, tree, ino, inode);
  }
  const { stats } = facts;
  if (stats && stats.usedBytes === usedBytes && stats.usedInodes === usedInodes) return;
  const said = stats ? `${stats.usedBytes} bytes and ${stats.usedInodes} inodes` : 'nothing';
  yield {
    kind: 'usage',
    tree,
    ino: null,
    message: `The counters say ${said} used; its inodes say ${usedBytes} bytes and ${usedInodes} inodes`,
    // A repair takes the orphans first.
    repair: [
      {
        key: keys.stats.key(tree),
        value: encodeStats({ usedBytes: usedBytes - orphanBytes, usedInodes: usedInodes - orphanInodes }),
      },
    ],
  };
}

async function* inodeFindings(
  meta: MetaStore,
  tree: number,
  ino: number,
  inode: InodeFacts,
): AsyncGenerator<Finding> {
  if (isOrphan(ino, inode)) {
    const { dataId, allocated } = inode;
    const key = keys.inode.key(tree, ino);
    const removal = { tree, kind: VersionedKind.inode, key, inode: { dataId, allocated } };
    yield { kind: 'orphan', tree, ino, message: `Inode ${ino} has no name`, repair: null, removal };
    return;
  }
  if (inode.chunkBytes < inode.allocated) {
    const message = `${inode.allocated - inode.chunkBytes} of ${inode.allocated} bytes of data are missing`;
    yield { kind: 'missing-data', tree, ino, message, repair: null };
  }
  const wrong: string[] = [];
  const fields: { -readonly [K in keyof InodeRecord]?: InodeRecord[K] } = {};
  if (inode.nlink !== inode.nlinkWanted) {
    wrong.push(`its link count is ${inode.nlink} and should be ${inode.nlinkWanted}`);
    fields.nlink = inode.nlinkWanted;
  }
  if (inode.isDirectory && inode.entryCount !== inode.entries) {
    wrong.push(`it counts ${inode.entryCount} entries and has ${inode.entries}`);
    fields.entryCount = inode.entries;
  }
  if (inode.chunkBytes > inode.allocated) {
    wrong.push(`it counts ${inode.allocated} allocated bytes and has ${inode.chunkBytes}`);
    fields.allocated = inode.chunkBytes;
  }
  if (wrong.length > 0) {
    const repair = await rewritten(meta, tree, ino, fields);
    yield { kind: 'inode', tree, ino, message: `Inode ${ino}: ${wrong.join('; ')}`, repair };
  }
  if (ino !== ROOT_INO && (inode.links !== inode.names || inode.linksKept !== inode.linksWanted)) {
    const message = `Inode ${ino} has ${inode.names} names, and its links back to them do not lead there`;
    yield { kind: 'parent-link', tree, ino, message, repair: null };
  }
}

function isOrphan(ino: number, { names, isDamaged }: InodeFacts): boolean {
  return ino !== ROOT_INO && names === 0 && !isDamaged;
}

async function rewritten(
  meta: MetaStore,
  tree: number,
  ino: number,
  fields: Partial<InodeRecord>,
): Promise<Write[] | null> {
  const key = keys.inode.key(tree, ino);
  const now = meta.get(key);
  const value = now === NOT_RESIDENT ? (await meta.fetch([key]))[0] : now;
  if (!value) return null;
  const encoded = encodeInode(withFields(decodeInode(ino, value), fields));
  return [{ key, value: sealed(encoded, birthOf(value)) }];
}
