// What must hold of the rows of all trees once everything has come to rest (DESIGN 3.2), worked out the long way: from
// every version that there is, for every kept generation.

import { framesIn } from '../../../src/fs/chunk-frames.ts';
import { decodeKept } from '../../../src/fs/generation-records.ts';
import { snapshotHolder, treeHolder } from '../../../src/fs/holder.ts';
import { decodeInode } from '../../../src/fs/inode-codec.ts';
import { VersionedKind } from '../../../src/fs/item.ts';
import { decodeStats } from '../../../src/fs/stats-record.ts';
import { BODY_AT, CRC_BYTES } from '../../../src/fs/versioned-value.ts';
import { keys } from '../../../src/kv/keys.ts';
import type { Row } from '../../../src/kv/meta-store.ts';
import { spaceFindings } from './space-findings.ts';
import { type StoredTree, storedTrees } from './stored-trees.ts';
import type { SnapshotWorld } from './world.ts';

const HEAD = Number.POSITIVE_INFINITY;

interface Holder {
  readonly id: number;
  readonly dataset: number;
  readonly tree: number;
  readonly generation: number;
}

export async function rowFindings(world: SnapshotWorld, snapshots: readonly Holder[]): Promise<string[]> {
  const everything = { gte: Buffer.alloc(1), lt: Buffer.alloc(64, 0xff) };
  const rows = await world.meta.page(everything, 1_000_000);
  const heads = new Set((await world.storedHeads()).values());
  const trees = storedTrees(rows, heads);
  // Those of trees that were detached, which the trees cloned from them have taken over.
  const taken = [...world.process.store.trees.values()].flatMap(({ id, furtherHolds }) =>
    furtherHolds.map(({ tree, generation }) => ({ tree, generation, id })),
  );
  const findings: string[] = [];
  findings.push(...holderFindings(rows, trees, snapshots, taken));
  for (const tree of trees.values()) {
    const about = [
      ...lifeFindings(tree),
      ...noteFindings(tree),
      ...forkFindings(trees, tree),
      ...counterFindings(rows, trees, tree),
    ];
    findings.push(...about.map((finding) => `tree ${tree.id}: ${finding}`));
  }
  findings.push(...frameFindings(world, trees), ...spaceFindings(rows, trees));
  const jobs = rows.filter(([key]) => key[0] === 0x13).length;
  const headless = [...trees.values()].filter(({ hasHead }) => !hasHead).length;
  if (jobs !== headless) findings.push(`${jobs} jobs for ${headless} trees without a head`);
  return findings;
}

/** A generation is kept by those who show it, and a tree is there for its head or its kept generations. */
function holderFindings(
  rows: readonly Row[],
  trees: ReadonlyMap<number, StoredTree>,
  snapshots: readonly Holder[],
  taken: readonly { readonly tree: number; readonly generation: number; readonly id: number }[],
): string[] {
  const wanted = new Map<string, string[]>();
  const want = (tree: number, generation: number, holder: Buffer) => {
    const place = `${tree}@${generation}`;
    wanted.set(place, [...(wanted.get(place) ?? []), holder.toString('hex')].sort());
  };
  for (const { id, dataset, tree, generation } of snapshots)
    want(tree, generation, snapshotHolder(dataset, id));
  for (const { id, parent } of trees.values())
    if (parent) want(parent.tree, parent.generation, treeHolder(id));
  for (const { tree, generation, id } of taken) want(tree, generation, treeHolder(id));
  const findings: string[] = [];
  for (const [key, value] of rows) {
    if (key[0] !== 0x11) continue;
    const { tree, generation } = keys.kept.parse(key);
    const place = `${tree}@${generation}`;
    const holders = decodeKept(value).holders.map((holder) => holder.toString('hex'));
    const should = wanted.get(place) ?? [];
    wanted.delete(place);
    if (holders.sort().join() !== should.join())
      findings.push(`${place} is held by ${holders}, should be held by ${should}`);
    if (!trees.has(tree)) findings.push(`${place} is kept of a tree that is gone`);
  }
  for (const [place, holders] of wanted) findings.push(`${place} is not kept, and ${holders} should hold it`);
  for (const { id, hasHead, kept } of trees.values())
    if (!hasHead && kept.length === 0) findings.push(`tree ${id} shows nothing and is there`);
  return findings;
}

/** Every version is somebody's. */
function lifeFindings({ hasHead, kept, parent, versions, tombstones }: StoredTree): string[] {
  const findings: string[] = [];
  const seen = hasHead ? [...kept, HEAD] : kept;
  for (const [key, lives] of versions) {
    for (const { birth, death, isWhiteout } of lives) {
      const name = `the version ${key} from ${birth} to ${death}`;
      if (!seen.some((at) => birth <= at && (at < death || death === HEAD)))
        findings.push(`nobody needs ${name}`);
      if (isWhiteout && !parent) findings.push(`${name} hides nothing`);
    }
  }
  for (const { dataId, drained } of tombstones)
    if (!parent || !drained) findings.push(`the tombstone of data ${dataId} is left`);
  return findings;
}

/** Where two neighbours among what the tree shows differ, a note says so; and there are not more than twice as many. */
function noteFindings({ hasHead, kept, parent, versions, notes, shown }: StoredTree): string[] {
  const findings: string[] = [];
  const seen = [...(parent ? [0] : []), ...kept, ...(hasHead ? [HEAD] : [])];
  let count = 0;
  let noted = 0;
  for (const [key, lives] of versions) {
    count += lives.length;
    for (let at = 1; at < seen.length; at++) {
      const [from, to] = [seen[at - 1]!, seen[at]!];
      const differ = shown(key, from) !== shown(key, to);
      if (differ && ![...(notes.get(key) ?? [])].some((one) => one > from && one <= to))
        findings.push(`no note says that ${key} has changed from ${from} to ${to}`);
    }
  }
  for (const [key, generations] of notes) {
    noted += generations.size;
    if (!versions.has(key)) findings.push(`${key} is noted and has no version`);
  }
  if (noted > 2 * count) findings.push(`${noted} notes of ${count} versions`);
  return findings;
}

/** What was flattened into a clone stays what the fork shows: a comparison with the parent looks at notes alone. */
function forkFindings(trees: ReadonlyMap<number, StoredTree>, { parent, versions }: StoredTree): string[] {
  const fork = parent && trees.get(parent.tree)?.everythingAt(trees, parent.generation);
  if (!fork) return [];
  const findings: string[] = [];
  for (const [key, [oldest]] of versions) {
    // Maps say of frames which are inherited, or name copies.
    if (key.startsWith('fe') || oldest!.birth > 0) continue;
    const shown = fork.get(key);
    if (!shown || !bodyOf(shown).equals(bodyOf(oldest!.value)))
      findings.push(`${key} is not what the fork shows, and its version was born in generation 0`);
  }
  return findings;
}

function bodyOf(value: Buffer): Buffer {
  return value.subarray(BODY_AT, value.length - CRC_BYTES);
}

/** The counters of a head and of what is kept are those of the inodes that it shows. */
function counterFindings(
  rows: readonly Row[],
  trees: ReadonlyMap<number, StoredTree>,
  tree: StoredTree,
): string[] {
  const findings: string[] = [];
  const compare = (what: string, at: number, said: { usedBytes: number; usedInodes: number }) => {
    let usedBytes = 0;
    let usedInodes = 0;
    for (const [key, value] of tree.everythingAt(trees, at)) {
      if (!key.startsWith(VersionedKind.inode.toString(16).padStart(2, '0'))) continue;
      usedBytes += decodeInode(1, value).allocated;
      usedInodes++;
    }
    if (said.usedBytes !== usedBytes || said.usedInodes !== usedInodes)
      findings.push(
        `${what} counts ${said.usedBytes} bytes and ${said.usedInodes} inodes, has ${usedBytes} and ${usedInodes}`,
      );
  };
  for (const [key, value] of rows) {
    if (key[0] === 0x05 && keys.stats.parse(key).tree === tree.id && tree.hasHead)
      compare('the head', HEAD, decodeStats(value));
    if (key[0] !== 0x11) continue;
    const { tree: id, generation } = keys.kept.parse(key);
    if (id === tree.id) compare(`generation ${generation}`, generation, decodeKept(value));
  }
  return findings;
}

/** The frames that segments count as live are those that a version names in the tree that made them. */
function frameFindings(world: SnapshotWorld, trees: ReadonlyMap<number, StoredTree>): string[] {
  const findings: string[] = [];
  const owners = new Map<number, string>();
  const inherited = new Set<number>();
  for (const { id, versions } of trees.values()) {
    for (const [key, lives] of versions) {
      if (!key.startsWith('fe')) continue;
      for (const { value } of lives) {
        for (const [frame, { inherited: isInherited }] of framesIn(value)) {
          const place = `tree ${id}, ${key}`;
          const owner = owners.get(frame) ?? place;
          if (isInherited) inherited.add(frame);
          else if (owner !== place) findings.push(`frame ${frame} is in ${owner} and in ${place}`);
          else owners.set(frame, place);
        }
      }
    }
  }
  for (const frame of inherited)
    if (!owners.has(frame)) findings.push(`frame ${frame} is inherited from none`);
  let live = 0;
  for (const record of world.process.store.live.segments.values()) live += record.liveCount;
  if (live !== owners.size) findings.push(`${live} frames are live, and ${owners.size} have a name`);
  return findings;
}
