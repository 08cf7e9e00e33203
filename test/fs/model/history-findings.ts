// What must hold of HISTORY, CHANGED and TOMBSTONE rows once everything has come to rest.

import type { Tree } from '../../../src/fs/tree.ts';
import { birthOf } from '../../../src/fs/versioned-value.ts';
import { keys, versioned } from '../../../src/kv/keys.ts';
import type { MetaStore } from '../../../src/kv/meta-store.ts';

const ALL = 1_000_000;

export async function historyFindings(meta: MetaStore, tree: Tree): Promise<string[]> {
  const findings: string[] = [];
  const { kept } = tree.generations;
  const noted = new Set<string>();
  for (const [key] of await meta.page(keys.changed.range(tree.id), ALL)) noted.add(key.toString('latin1'));
  const isNoted = (generation: number, kind: number, rest: Buffer) =>
    noted.has(keys.changed.key(tree.id, generation, kind, rest).toString('latin1'));
  for (const [key, value] of await meta.page(keys.history.range(tree.id), ALL)) {
    const { kind, rest, death } = keys.history.parse(key);
    const birth = birthOf(value);
    const name = `${kind.toString(16)} ${rest.toString('hex')} from ${birth} to ${death}`;
    if (!kept.some((generation) => birth <= generation && generation < death))
      findings.push(`no kept generation shows the version ${name}`);
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
