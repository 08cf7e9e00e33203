// The rows that say what a tree was: HISTORY in key order, each version against the one before it and against what is
// kept; and how many notes of changes there are. While a sweep or a drain is unfinished, more may be there than is needed.

import { keys, versioned } from '../../kv/keys.ts';
import { type MetaStore, NOT_RESIDENT, type Write } from '../../kv/meta-store.ts';
import { CHANGED_VALUE } from '../changed-note.ts';
import { decodeInode } from '../inode-codec.ts';
import { VersionedKind } from '../item.ts';
import type { Tree } from '../tree.ts';
import { birthOf, isWhiteout, verify } from '../versioned-value.ts';
import type { Finding } from './finding.ts';
import { firstKeptFrom, GenerationUsage } from './generation-usage.ts';

/** The model keeps to it: notes are at most so many times the records that there are, live and old. */
const NOTES_A_RECORD_MAX = 2;

export class TreeHistory {
  readonly usage: GenerationUsage;
  /** Of inodes that the tree has versions of, the birth of the oldest: a clone shows its parent's before that. */
  readonly oldestInodes = new Map<number, number>();
  records = 0;
  notes = 0;

  constructor({ generations }: Tree) {
    this.usage = new GenerationUsage(generations.kept);
  }

  /** A version of an inode. */
  inode(ino: number, value: Buffer, death: number): void {
    const birth = birthOf(value);
    this.oldestInodes.set(ino, Math.min(birth, this.oldestInodes.get(ino) ?? birth));
    if (!isWhiteout(value)) this.usage.add({ birth, death }, decodeInode(ino, value).allocated);
  }
}

export class HistoryChecks {
  private readonly meta: MetaStore;
  private last: { readonly key: Buffer; readonly death: number } | null = null;

  constructor(meta: MetaStore) {
    this.meta = meta;
  }

  /** @throws DamageError */
  async *version(key: Buffer, value: Buffer, tree: Tree): AsyncGenerator<Finding> {
    verify(value, 'an older version');
    const { kind, rest, death } = keys.history.parse(key);
    const birth = birthOf(value);
    const live = versioned.key(tree.id, kind, rest);
    const earlier = this.last?.key.equals(live) ? this.last.death : 0;
    this.last = { key: live, death };
    const { kept, current } = tree.generations;
    const what = `The version of ${live.toString('hex')} from generation ${birth} to ${death}`;
    const about = { kind: 'history', tree: tree.id, ino: inoOf(kind, live) } as const;
    if (birth >= death || birth < earlier || death > current) {
      yield { ...about, message: `${what} is out of order`, repair: null };
      return;
    }
    if (isBusy(tree)) return;
    const shownFirst = kept[firstKeptFrom(kept, birth)];
    if (shownFirst === undefined || shownFirst >= death) {
      if (await this.isThere(key))
        yield { ...about, message: `${what} is needed by no kept generation`, repair: null };
      return;
    }
    const note = keys.changed.key(tree.id, death, kind, rest);
    if ((await this.isThere(note)) || !(await this.isThere(key))) return;
    const repair: Write[] = [{ key: note, value: CHANGED_VALUE }];
    yield { ...about, message: `${what} died without a note, so a comparison misses it`, repair };
  }

  *notes(tree: Tree, { records, notes }: TreeHistory): Generator<Finding> {
    if (isBusy(tree) || tree.dropped || notes <= NOTES_A_RECORD_MAX * records) return;
    const message = `Tree ${tree.id} has ${notes} notes of changes for ${records} records`;
    yield { kind: 'history', tree: tree.id, ino: null, message, repair: null };
  }

  /** As it is now: the pass shows what was. */
  private async isThere(key: Buffer): Promise<boolean> {
    const value = this.meta.get(key);
    return (value === NOT_RESIDENT ? (await this.meta.fetch([key]))[0] : value) !== undefined;
  }
}

/** What nobody needs may still be there. */
function isBusy({ dropped, generations }: Tree): boolean {
  return generations.leaving.length > 0 || dropped;
}

function inoOf(kind: number, key: Buffer): number | null {
  if (kind === VersionedKind.inode) return keys.inode.parse(key).ino;
  return kind === VersionedKind.entry ? keys.dirEntry.parse(key).dir : null;
}
