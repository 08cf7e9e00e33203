// Reads every row of the store once, in key order and as of one moment, and every live byte of the segments, and says
// what does not agree: entries with inodes, links with entries, sizes and counters with extents, extents with frames,
// frames with live bitmaps, old versions with the generations that are kept, the space accounting with all versions, and everything with its checksum.
//
// What the head of a clone shows is read once more, each head as of a moment of its own, because half of it stands in
// other trees.

import { keys, versioned } from '../../kv/keys.ts';
import { framesIn } from '../chunk-frames.ts';
import { framesOf } from '../chunk-map.ts';
import type { Frame } from '../extent.ts';
import { decodeForward } from '../forward-record.ts';
import { decodeKept, decodeTree, type KeptRecord } from '../generation-records.ts';
import { VersionedKind } from '../item.ts';
import type { NameCookie } from '../name-cookie.ts';
import { SegmentRecord } from '../segment-record.ts';
import { decodeSpace } from '../space-rows.ts';
import { decodeStats } from '../stats-record.ts';
import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';
import { DamageError, isDamaged, verify } from '../versioned-value.ts';
import { cloneFindings } from './clone-findings.ts';
import type { Finding } from './finding.ts';
import { FrameFacts } from './frame-facts.ts';
import { frameProblem } from './frame-problem.ts';
import { HistoryChecks, TreeHistory } from './history-checks.ts';
import { type KeptRows, keptFindings } from './kept-findings.ts';
import { type CheckTotals, decodedChunk, RecordChecks } from './record-checks.ts';
import { SpaceFacts } from './space-facts.ts';
import { subtreeTotals } from './subtree-totals.ts';
import { treeFindings } from './tree-findings.ts';

export interface CheckedStore {
  readonly store: Store;
  readonly cookieOf: NameCookie;
}

const EVERYTHING = { gte: Buffer.alloc(1, 0), lt: Buffer.alloc(64, 0xff) };
const NEVER = Number.POSITIVE_INFINITY;

type Findings = AsyncGenerator<Finding> | Generator<Finding> | undefined;
type RowCheck = (key: Buffer, value: Buffer) => Findings;

export class StoreCheck {
  private readonly store: Store;
  private readonly records: RecordChecks;
  private readonly versions: HistoryChecks;
  /** When it began, as the rows that it reads: trees come and go meanwhile, and clones are detached. */
  private readonly trees = new Map<number, Tree>();
  private readonly wholeTrees = new Set<Tree>();
  private readonly histories = new Map<Tree, TreeHistory>();
  private readonly kept: KeptRows = new Map();
  private readonly space = new Map<number, SpaceFacts>();
  private readonly frames = new FrameFacts();
  /** They come before the FORWARD rows that say where they are. */
  private readonly oldFrames: { readonly tree: number; readonly frame: Frame }[] = [];
  private readonly rowChecks: Readonly<Record<number, RowCheck>>;

  constructor({ store, cookieOf }: CheckedStore) {
    this.store = store;
    this.records = new RecordChecks(cookieOf);
    this.versions = new HistoryChecks(store.parts.meta);
    this.rowChecks = {
      1: (key, value) => this.inode(key, value),
      2: (key, value) => this.live(key, value, () => this.records.entries(key, value)),
      5: (key, value) => this.stats(key, value),
      7: (key) => this.tombstone(key),
      11: (_, value) => void decodeTree(value),
      12: (key, value) => this.version(key, value),
      13: (key) => this.note(key),
      14: (key, value) => this.spaceRow(key, value),
      15: (key, value) => this.segment(key, value),
      16: (key, value) => this.forward(key, value),
      17: (key, value) => this.keptRow(key, value),
      20: (key, value) => this.live(key, value, () => this.records.link(key, value)),
      254: (key, value) => this.chunk(key, value),
    };
  }

  get totals(): CheckTotals {
    return this.records.totals;
  }

  /** When it is done: of what is below an inode, with it. */
  totalsBelow(tree: number, top: number): CheckTotals {
    return subtreeTotals(this.records.tree(tree), top);
  }

  async *run(): AsyncGenerator<Finding> {
    const { meta, segments } = this.store.parts;
    for (const tree of this.store.trees.values()) {
      this.trees.set(tree.id, tree);
      this.space.set(tree.id, new SpaceFacts(tree));
      if (isWhole(tree)) this.wholeTrees.add(tree);
    }
    for await (const [key, value] of meta.rows(EVERYTHING)) {
      try {
        const found = this.rowChecks[key[0]!]?.(key, value);
        if (found) for await (const finding of found) yield this.mendable(finding);
      } catch (error) {
        yield damaged(error, key);
      }
    }
    for (const found of this.treeChecks()) for await (const finding of found) yield this.mendable(finding);
    for (const { tree, frame } of this.oldFrames) yield* this.oldFrame(tree, frame);
    yield* this.frames.findings(await segments.list());
  }

  private *treeChecks(): Generator<AsyncGenerator<Finding> | Generator<Finding>> {
    const { store, records } = this;
    for (const [id, facts] of records.trees) {
      const tree = this.trees.get(id);
      if (!tree || this.wholeTrees.has(tree)) yield treeFindings(store.parts.meta, id, facts);
    }
    for (const tree of this.trees.values()) {
      const history = this.historyOf(tree);
      if (tree.parent && !tree.dropped) yield cloneFindings(store, tree, records);
      yield this.versions.notes(tree, history);
      yield keptFindings(store, tree, history, this.kept);
      const space = this.space.get(tree.id);
      if (space) yield space.findings(this.kept.get(tree.id) ?? new Map());
    }
  }

  /** A record that is mended where it stands is another one in the kept generations too: better none. */
  private mendable(finding: Finding): Finding {
    const tree = finding.tree === null ? undefined : this.trees.get(finding.tree);
    const isOfRecord = finding.kind !== 'usage' && finding.kind !== 'history';
    return tree && isOfRecord && tree.generations.kept.length > 0 ? { ...finding, repair: null } : finding;
  }

  private treeOf(key: Buffer): Tree | undefined {
    return this.trees.get(key.readUInt32BE(1));
  }

  private historyOf(tree: Tree): TreeHistory {
    let history = this.histories.get(tree);
    if (!history) {
      history = new TreeHistory(tree);
      this.histories.set(tree, history);
    }
    return history;
  }

  /** A live record: with all around it where one tree has that, else for itself. */
  private live(key: Buffer, value: Buffer, check: () => Findings): Findings {
    const tree = this.treeOf(key);
    if (tree) this.historyOf(tree).records++;
    if (!tree || this.wholeTrees.has(tree)) return check();
    verify(value, 'a record');
    return undefined;
  }

  private inode(key: Buffer, value: Buffer): Findings {
    const tree = this.treeOf(key);
    if (tree && !isDamaged(value)) this.historyOf(tree).inode(keys.inode.parse(key).ino, value, NEVER);
    return this.live(key, value, () => this.records.inode(key, value));
  }

  private stats(key: Buffer, value: Buffer): undefined {
    this.records.tree(keys.stats.parse(key).tree).stats = decodeStats(value);
  }

  private tombstone(key: Buffer): undefined {
    const { tree, dataId } = keys.tombstone.parse(key);
    this.records.tree(tree).tombstones.add(dataId);
  }

  private version(key: Buffer, value: Buffer): Findings {
    const tree = this.treeOf(key);
    if (!tree) return undefined;
    const { kind, rest, death } = keys.history.parse(key);
    const history = this.historyOf(tree);
    history.records++;
    if (kind === VersionedKind.chunk) this.space.get(tree.id)?.count.addOld(value, death);
    if (!isDamaged(value)) {
      const live = versioned.key(tree.id, kind, rest);
      if (kind === VersionedKind.inode) history.inode(keys.inode.parse(live).ino, value, death);
      const frames = kind === VersionedKind.chunk ? framesIn(value).values() : [];
      for (const frame of frames) this.oldFrames.push({ tree: tree.id, frame });
    }
    return this.versions.version(key, value, tree);
  }

  private note(key: Buffer): undefined {
    const tree = this.treeOf(key);
    if (tree) this.historyOf(tree).notes++;
  }

  private spaceRow(key: Buffer, value: Buffer): undefined {
    const { tree, first, last } = keys.space.parse(key);
    this.space.get(tree)?.rows.set({ first, last }, decodeSpace(value));
  }

  private segment(key: Buffer, value: Buffer): undefined {
    this.frames.segments.set(keys.segment.parse(key).segment, SegmentRecord.decode(value));
  }

  private forward(key: Buffer, value: Buffer): undefined {
    const { segment, block } = keys.forward.parse(key);
    this.frames.addForward(segment, block, decodeForward(value));
  }

  private keptRow(key: Buffer, value: Buffer): undefined {
    const { tree, generation } = keys.kept.parse(key);
    const rows = this.kept.get(tree) ?? new Map<number, KeptRecord>();
    this.kept.set(tree, rows.set(generation, decodeKept(value)));
  }

  private async *chunk(key: Buffer, value: Buffer): AsyncGenerator<Finding> {
    const { tree: id, dataId } = keys.chunk.parse(key);
    this.space.get(id)?.count.addLive(value);
    const ino = this.records.tree(id).owners.get(dataId) ?? null;
    for (const frame of framesOf(decodedChunk(key, value)).values()) {
      const place = this.frames.name(frame);
      // The tree that it is from names it as well, live or in HISTORY.
      const problem = frame.inherited ? undefined : await frameProblem(this.store, place, frame);
      if (problem) yield { kind: 'damaged-data', tree: id, ino, message: problem, repair: null };
    }
    const found = this.live(key, value, () => this.records.chunk(key, value));
    if (found) yield* found;
  }

  /** Perhaps no head shows it, only kept generations do. */
  private async *oldFrame(tree: number, frame: Frame): AsyncGenerator<Finding> {
    if (this.frames.isNamed(frame)) return;
    const place = this.frames.name(frame);
    const problem = frame.inherited ? undefined : await frameProblem(this.store, place, frame);
    if (!problem) return;
    const message = `${problem}; a snapshot shows it`;
    yield { kind: 'damaged-data', tree, ino: null, message, repair: null };
  }
}

/** All that its head shows stands in it. */
function isWhole({ parent, dropped }: Tree): boolean {
  return parent === null && !dropped;
}

function damaged(error: unknown, key: Buffer): Finding {
  if (!(error instanceof DamageError)) throw error;
  const message = `${error.message} (key ${key.toString('hex')})`;
  return { kind: 'damaged', ...ownerOf(key), message, repair: null };
}

/** Whom a damaged row belongs to, as far as its key says. */
function ownerOf(key: Buffer): { readonly tree: number | null; readonly ino: number | null } {
  if (key[0] === VersionedKind.entry) {
    const { tree, dir } = keys.dirEntry.parse(key);
    return { tree, ino: dir };
  }
  return { tree: null, ino: null };
}
