// `cairn check`: the whole store against itself, told in paths as a client sees them.

import { StoreCheck } from '../../fs/check/check-store.ts';
import type { Finding } from '../../fs/check/finding.ts';
import { inodePath } from '../../fs/check/inode-path.ts';
import { type Removal, stageRemoval } from '../../fs/check/removal.ts';
import { tableFindings } from '../../fs/check/table-findings.ts';
import { nameCookie } from '../../fs/name-cookie.ts';
import { ROOT_INO } from '../../fs/operation.ts';
import type { Reclaimer } from '../../fs/reclaimer.ts';
import { Records } from '../../fs/records.ts';
import type { Store } from '../../fs/store.ts';
import { MetaReadError, type Write } from '../../kv/meta-store.ts';
import type { DatasetRecord } from '../dataset-record.ts';
import { loadRegistry } from '../registry-rows.ts';
import { type CheckedPath, EVERYTHING, findCheckedPath, isBelow } from './checked-path.ts';
import { hiddenEntries } from './hidden-entries.ts';

export interface CheckedVolume {
  readonly store: Store;
  readonly reclaimer: Reclaimer;
  /** Of LevelDB; absent where the metadata is elsewhere. */
  readonly metaPath?: string;
}

export interface CheckRequest {
  /** Only this path and what is below it; everything when undefined. */
  readonly path: string | undefined;
  readonly repair: boolean;
}

interface Reported {
  readonly kind: string;
  readonly path: string;
  readonly message: string;
  readonly repaired: boolean;
}

interface Summary {
  readonly datasets: number;
  readonly inodes: number;
  readonly bytes: number;
  readonly findings: number;
  readonly repaired: number;
}

export type CheckReport = { readonly finding: Reported } | { readonly summary: Summary };

/** Rows of repairs written in one batch. */
const REPAIR_ROWS = 1000;

/**
 * Goes through everything as of one moment; file data keeps its place meanwhile, all else goes on.
 * With `repair` nothing else may use the volume: rows are rewritten under what is cached.
 *
 * @throws DatasetError `not-found` for a path that is not there
 */
export async function* checkVolume(
  volume: CheckedVolume,
  { path, repair }: CheckRequest,
): AsyncGenerator<CheckReport> {
  const { store, reclaimer } = volume;
  await reclaimer.pause();
  try {
    await store.durable(store.ticket);
    const { meta } = store.parts;
    const loaded = await loadRegistry(meta);
    const names = new Map(loaded.records.map(({ name, headTree }) => [headTree, name]));
    const cookieOf = nameCookie(store.parts.hashKey);
    const wanted = path === undefined ? EVERYTHING : await findCheckedPath(store, loaded.records, path);
    const check = new StoreCheck({ store, cookieOf });
    let findings = 0;
    let repaired = 0;
    const repairs: Write[] = [];
    const removals: Removal[] = [];
    for await (const finding of allFindings(check, volume, loaded.records)) {
      const where = await pathOf(store, names, finding);
      if (!isBelow(where, wanted)) continue;
      findings++;
      const { removal } = finding;
      const mended = repair && (finding.repair !== null || removal !== undefined);
      if (mended) {
        repairs.push(...(finding.repair ?? []));
        if (removal) removals.push(removal);
        repaired++;
      }
      const { kind, message } = finding;
      yield { finding: { kind, path: where, message, repaired: mended } };
    }
    for (const removal of removals) stageRemoval(store, removal);
    await store.durable(store.ticket);
    for (let at = 0; at < repairs.length; at += REPAIR_ROWS) {
      await meta.write(repairs.slice(at, at + REPAIR_ROWS), true);
    }
    yield { summary: { ...totalsOf(check, loaded.records, wanted), findings, repaired } };
  } finally {
    reclaimer.resume();
  }
}

/** Of the path alone: the rest was read too, because it may be what does not agree with it. */
function totalsOf(check: StoreCheck, datasets: readonly DatasetRecord[], wanted: CheckedPath) {
  if (wanted === EVERYTHING) return { datasets: datasets.length, ...check.totals };
  const tops = new Map<number, number>();
  for (const { name, headTree } of datasets) if (isBelow(`/${name}`, wanted)) tops.set(headTree, ROOT_INO);
  if (wanted.node) tops.set(wanted.node.tree, wanted.node.ino);
  const totals = { datasets: tops.size, inodes: 0, bytes: 0 };
  for (const [tree, top] of tops) {
    const { inodes, bytes } = check.totalsBelow(tree, top);
    totals.inodes += inodes;
    totals.bytes += bytes;
  }
  return totals;
}

async function* allFindings(
  check: StoreCheck,
  { store, metaPath }: CheckedVolume,
  datasets: readonly DatasetRecord[],
): AsyncGenerator<Finding> {
  // First, because damage there may stop the rest.
  if (metaPath !== undefined) yield* tableFindings(metaPath);
  try {
    yield* check.run();
    yield* hiddenEntries(store, datasets);
  } catch (error) {
    if (!(error instanceof MetaReadError)) throw error;
    yield {
      kind: 'database',
      tree: null,
      ino: null,
      message: `${error.message}; the check ends here`,
      repair: null,
    };
  }
}

async function pathOf(store: Store, names: ReadonlyMap<number, string>, finding: Finding): Promise<string> {
  if (finding.tree === null) return '';
  const dataset = names.get(finding.tree);
  const tree = store.trees.get(finding.tree);
  if (!dataset || !tree) return '';
  if (finding.ino === null) return `/${dataset}`;
  const records = new Records(store, tree, nameCookie(store.parts.hashKey));
  const inner = await inodePath(records, finding.ino);
  return ['', dataset, inner, finding.name?.toString() ?? '']
    .filter((part, at) => at === 0 || part !== '')
    .join('/');
}
