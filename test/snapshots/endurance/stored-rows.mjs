// What is stored of history in a data directory that no server has open: counted row by row, beside what the kept
// generations need.

import { expect } from '../../rig/report.mjs';

const EVERYTHING = { gte: Buffer.alloc(1), lt: Buffer.alloc(64, 0xff) };
/** By the first byte of the key (kv/keys.ts). */
const KIND = { history: 0x0c, changed: 0x0d, segment: 0x0f, kept: 0x11 };
/** INODE, DIR_ENTRY, LINK and CHUNK. */
const LIVE = new Set([0x01, 0x02, 0x14, 0xfe]);
/** What a store keeps for ever: settings and the numbers that are not given again; replies of before. */
const LASTING = new Set([0x06, 0x12]);

/** Answers `{ live, history, changed, kept, idle, byKind }`; `idle` are versions that no kept generation shows. */
export async function storedRows(dataDir) {
  const { openDataDirectory } = await import('../../../dist/kv/data-directory.js');
  const { systemClock, systemRandom } = await import('../../../dist/clock.js');
  const stores = await openDataDirectory(
    dataDir,
    { warmBytesMax: 0, repair: false },
    systemRandom,
    systemClock,
  );
  try {
    return await counted(stores.meta);
  } finally {
    await stores.close();
  }
}

async function counted(meta) {
  const { keys } = await import('../../../dist/kv/keys.js');
  const { birthOf } = await import('../../../dist/fs/versioned-value.js');
  const byKind = new Map();
  const keptBy = new Map();
  const versions = [];
  for await (const [key, value] of meta.rows(EVERYTHING)) {
    const kind = key[0];
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
    if (kind === KIND.history) {
      const { tree, death } = keys.history.parse(key);
      versions.push({ tree, birth: birthOf(value), death });
    }
    if (kind === KIND.kept) {
      const { tree, generation } = keys.kept.parse(key);
      keptBy.set(tree, [...(keptBy.get(tree) ?? []), generation]);
    }
  }
  const isShown = ({ tree, birth, death }) => keptBy.get(tree)?.some((at) => birth <= at && at < death);
  const of = (kind) => byKind.get(kind) ?? 0;
  return {
    live: [...LIVE].reduce((sum, kind) => sum + of(kind), 0),
    history: of(KIND.history),
    changed: of(KIND.changed),
    kept: of(KIND.kept),
    idle: versions.filter((version) => !isShown(version)).length,
    byKind,
  };
}

/** Nothing more than in a store that held nothing. */
export function expectAsEmpty(fresh, now) {
  for (const [kind, count] of now.byKind) {
    if (LASTING.has(kind)) continue;
    // The segment that was written last is open until the server ends; the next start gives it back.
    const before = Math.max(fresh.byKind.get(kind) ?? 0, kind === KIND.segment ? 1 : 0);
    expect(count <= before, `${count} rows of kind ${kind.toString(16)}, ${before} in a fresh store`);
  }
}
