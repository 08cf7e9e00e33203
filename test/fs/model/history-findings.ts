// What must hold of HISTORY, CHANGED and TOMBSTONE rows once everything has come to rest.

import { decodeInode } from '../../../src/fs/inode-codec.ts';
import { VersionedKind } from '../../../src/fs/item.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import { birthOf } from '../../../src/fs/versioned-value.ts';
import { keys, versioned } from '../../../src/kv/keys.ts';
import type { MetaStore } from '../../../src/kv/meta-store.ts';

const ALL = 1_000_000;

/** A version of a key, from its birth up to its death. */
interface Life {
  readonly birth: number;
  readonly death: number;
}

export async function historyFindings(meta: MetaStore, tree: Tree): Promise<string[]> {
  const findings: string[] = [];
  const { kept } = tree.generations;
  const owners = await dataOwners(meta, tree);
  const noted = new Set<string>();
  for (const [key] of await meta.page(keys.changed.range(tree.id), ALL)) noted.add(key.toString('latin1'));
  const isNoted = (generation: number, kind: number, rest: Buffer) =>
    noted.has(keys.changed.key(tree.id, generation, kind, rest).toString('latin1'));
  for (const [key, value] of await meta.page(keys.history.range(tree.id), ALL)) {
    const { kind, rest, death } = keys.history.parse(key);
    const birth = birthOf(value);
    const name = `${kind.toString(16)} ${rest.toString('hex')} from ${birth} to ${death}`;
    if (!kept.some((generation) => isIn(generation, { birth, death })))
      findings.push(`no kept generation shows the version ${name}`);
    const dataId =
      kind === VersionedKind.chunk ? keys.chunk.parse(versioned.key(tree.id, kind, rest)).dataId : 0;
    const reached = owners
      .get(dataId)
      ?.some((owner) => kept.some((one) => isIn(one, owner) && isIn(one, { birth, death })));
    if (dataId > 0 && !reached) findings.push(`no file of a kept generation reaches the version ${name}`);
    if (!isNoted(death, kind, rest)) findings.push(`no note says that the version ${name} died`);
  }
  for (const range of [keys.inode, keys.dirEntry, keys.chunk].map((family) => family.range(tree.id))) {
    for (const [key, value] of await meta.page(range, ALL)) {
      const { kind, rest } = versioned.parse(key);
      const birth = birthOf(value);
      if (kept.some((generation) => generation < birth) && !isNoted(birth, kind, rest))
        findings.push(`no note says that ${kind.toString(16)} ${rest.toString('hex')} was born in ${birth}`);
    }
  }
  const tombstones = await meta.page(keys.tombstone.range(tree.id), ALL);
  if (tombstones.length > 0) findings.push(`${tombstones.length} tombstones are left`);
  return findings;
}

/** By data id, the versions of inodes that name it. */
async function dataOwners(meta: MetaStore, tree: Tree): Promise<Map<number, Life[]>> {
  const owners = new Map<number, Life[]>();
  const add = (value: Buffer, death: number) => {
    const { dataId } = decodeInode(1, value);
    owners.set(dataId, [...(owners.get(dataId) ?? []), { birth: birthOf(value), death }]);
  };
  for (const [, value] of await meta.page(keys.inode.range(tree.id), ALL))
    add(value, Number.POSITIVE_INFINITY);
  for (const [key, value] of await meta.page(keys.history.range(tree.id, VersionedKind.inode), ALL))
    add(value, keys.history.parse(key).death);
  return owners;
}

function isIn(generation: number, { birth, death }: Life): boolean {
  return birth <= generation && generation < death;
}
