// Compares two moments inode by inode, in ascending order, where notes say that something may differ.

import { FileType } from '../../fs/file-system.ts';
import type { InodeRecord } from '../../fs/inode-record.ts';
import { ROOT_INO } from '../../fs/operation.ts';
import type { Store } from '../../fs/store.ts';
import { ATTRIBUTES, type AttributeName, type ByteRange, type Change } from './change.ts';
import { changedRanges } from './changed-data.ts';
import type { Moment } from './moment.ts';
import { MomentView, type Name } from './moment-view.ts';
import { findSuspects, type Suspects } from './suspects.ts';

/** Of one file; behind so many, what lies between ranges is told as changed too. */
export const RANGES_MAX = 4096;

export interface CompareOptions {
  /** Also which bytes of files differ. */
  readonly ranges: boolean;
  readonly suspectsMax?: number;
}

/** Most of the time goes by while old versions are read. */
const INODES_AT_ONCE = 64;
const ROOT_PATH = Buffer.from('/');
const UNCHANGED = { data: false, attributes: [], links: null, ranges: null } as const;

/** Both moments are kept, and stay so until the end. */
export async function* compareMoments(
  store: Store,
  from: Moment,
  to: Moment,
  options: CompareOptions,
): AsyncGenerator<Change> {
  const suspects = await findSuspects(store, from, to, options.suspectsMax);
  const comparison = new Comparison(
    new MomentView(store, from),
    new MomentView(store, to),
    suspects,
    options,
  );
  try {
    const inodes = [...suspects.inodes].sort((one, other) => one - other);
    for (let at = 0; at < inodes.length; at += INODES_AT_ONCE) {
      const told = inodes.slice(at, at + INODES_AT_ONCE).map((ino) => comparison.inode(ino));
      for (const changes of await Promise.all(told)) yield* changes;
    }
  } finally {
    comparison.close();
  }
}

class Comparison {
  private readonly from: MomentView;
  private readonly to: MomentView;
  private readonly suspects: Suspects;
  private readonly options: CompareOptions;

  constructor(from: MomentView, to: MomentView, suspects: Suspects, options: CompareOptions) {
    this.from = from;
    this.to = to;
    this.suspects = suspects;
    this.options = options;
  }

  close(): void {
    this.from.close();
    this.to.close();
  }

  async inode(ino: number): Promise<readonly Change[]> {
    const [before, after] = await Promise.all([this.from.inode(ino), this.to.inode(ino)]);
    if (before && after && isSameInode(before, after)) return this.changed(before, after);
    const removed = before ? await pathsOf(this.from, before) : [];
    const added = after ? await pathsOf(this.to, after) : [];
    return [
      ...removed.map((path) => nameChange('removed', before!, path)),
      ...added.map((path) => nameChange('added', after!, path)),
    ];
  }

  private async changed(before: InodeRecord, after: InodeRecord): Promise<readonly Change[]> {
    const [names, newNames] = await Promise.all([this.from.names(before), this.to.names(after)]);
    const gone = without(names, newNames);
    const come = without(newNames, names);
    const details = await this.details(before, after);
    const { links } = details;
    const changes: Change[] = [];
    const moved = Math.min(gone.length, come.length);
    for (let at = 0; at < moved; at++) {
      const [path, from] = await Promise.all([this.to.path(come[at]!), this.from.path(gone[at]!)]);
      // What else has changed is told once.
      changes.push({ ...nameChange('renamed', after, path), from, ...(at === 0 ? details : { links }) });
    }
    for (const name of gone.slice(moved))
      changes.push({ ...nameChange('removed', after, await this.from.path(name)), links });
    for (const name of come.slice(moved))
      changes.push({ ...nameChange('added', after, await this.to.path(name)), links });
    if (moved > 0 || !isModified(details, changes.length > 0)) return changes;
    const [name] = newNames;
    const path = name ? await this.to.path(name) : ROOT_PATH;
    changes.push({ ...nameChange('modified', after, path), ...details });
    return changes;
  }

  private async details(before: InodeRecord, after: InodeRecord) {
    const ranges = after.type === FileType.file ? await this.ranges(before, after) : [];
    const isDirectory = after.type === FileType.directory;
    return {
      data: isDirectory ? await this.hasOtherEntries(after.ino) : ranges.length > 0,
      attributes: ATTRIBUTES.filter((name) => differs[name](before, after)),
      links: before.nlink === after.nlink ? null : { before: before.nlink, after: after.nlink },
      ranges: this.options.ranges && after.type === FileType.file ? ranges : null,
    };
  }

  /** Only the first one when none were asked for. */
  private async ranges(before: InodeRecord, after: InodeRecord): Promise<readonly ByteRange[]> {
    const ranges: ByteRange[] = [];
    if (!this.options.ranges && before.size !== after.size) return [{ offset: 0, length: 0 }];
    const { windows } = this.suspects;
    const noted = windows && (windows.get(after.dataId) ?? []);
    const files = [
      { view: this.from, record: before },
      { view: this.to, record: after },
    ] as const;
    for await (const range of changedRanges(...files, noted)) {
      if (!this.options.ranges) return [range];
      join(ranges, range);
    }
    return ranges;
  }

  private async hasOtherEntries(ino: number): Promise<boolean> {
    for (const rest of this.suspects.buckets.get(ino) ?? []) {
      const [before, after] = await Promise.all([this.from.bucket(rest), this.to.bucket(rest)]);
      const isSame =
        before.length === after.length &&
        before.every(({ name, ino }, at) => after[at]!.ino === ino && after[at]!.name.equals(name));
      if (!isSame) return true;
    }
    return false;
  }
}

/** A number may have been given in two clones, each time to another file. The root is the root. */
function isSameInode(before: InodeRecord, after: InodeRecord): boolean {
  return before.ino === ROOT_INO || before.generation === after.generation;
}

function nameChange(kind: Change['kind'], { type, ino }: InodeRecord, path: Buffer): Change {
  return { kind, type, ino, path, from: null, ...UNCHANGED };
}

async function pathsOf(view: MomentView, record: InodeRecord): Promise<Buffer[]> {
  return Promise.all((await view.names(record)).map((name) => view.path(name)));
}

function without(names: readonly Name[], others: readonly Name[]): Name[] {
  return names.filter(
    ({ directory, generation, name }) =>
      !others.some(
        (other) =>
          other.directory === directory && other.generation === generation && other.name.equals(name),
      ),
  );
}

/** A name more or less moves ctime and the link count, and that was told with the name. */
function isModified(
  { data, attributes, links }: Pick<Change, 'data' | 'attributes' | 'links'>,
  namesToldOf: boolean,
): boolean {
  if (data || attributes.some((name) => name !== 'ctime')) return true;
  return !namesToldOf && (attributes.length > 0 || links !== null);
}

const differs: Readonly<Record<AttributeName, (before: InodeRecord, after: InodeRecord) => boolean>> = {
  mode: (before, after) => before.mode !== after.mode,
  uid: (before, after) => before.uid !== after.uid,
  gid: (before, after) => before.gid !== after.gid,
  size: (before, after) => before.size !== after.size,
  atime: (before, after) =>
    before.atimeSeconds !== after.atimeSeconds || before.atimeNanoseconds !== after.atimeNanoseconds,
  mtime: (before, after) =>
    before.mtimeSeconds !== after.mtimeSeconds || before.mtimeNanoseconds !== after.mtimeNanoseconds,
  ctime: (before, after) =>
    before.ctimeSeconds !== after.ctimeSeconds || before.ctimeNanoseconds !== after.ctimeNanoseconds,
};

/** Adds a range behind the others; those that touch become one. */
function join(ranges: ByteRange[], { offset, length }: ByteRange): void {
  const last = ranges.at(-1);
  if (last && (last.offset + last.length === offset || ranges.length === RANGES_MAX)) {
    ranges[ranges.length - 1] = { offset: last.offset, length: offset + length - last.offset };
  } else {
    ranges.push({ offset, length });
  }
}
