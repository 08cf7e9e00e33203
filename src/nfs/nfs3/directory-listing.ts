// Which entries go into a reply of READDIR or READDIRPLUS (RFC 1813 §3.3.16, §3.3.17).
//
// Each entry has its cookie for ever, so the cookie verifier is constant and no cookie is ever bad. `.`, `..` and, where
// snapdir=visible, `.snapshots` come first, under the cookies 1, 2 and 3. A reply holds as many entries as fit in the
// bytes that the client allows, at least one; TOOSMALL says that not even one does.

import { andThen, type Eventual } from '../../eventual.ts';
import type { Attributes, Cookie, DirectoryEntry, DirectoryPage } from '../../fs/file-system.ts';
import { hasSnapshots } from '../descend.ts';
import { isSnapshotsName, SNAPSHOTS_NAME, snapshotsFileId } from '../snapshots-directory.ts';
import { NfsError, NfsStatus } from '../status.ts';
import type { Target } from '../target.ts';
import { u32, u64 } from '../xdr/primitives.ts';
import { padded } from '../xdr/xdr.ts';
import { FATTR3_BYTES, filename3, TRANSFER_BYTES_MAX } from './types.ts';

export const COOKIE_VERIFIER = Buffer.alloc(8);
const [DOT, DOT_DOT] = [Buffer.from('.'), Buffer.from('..')];
const [DOT_COOKIE, DOT_DOT_COOKIE, SNAPSHOTS_COOKIE] = [1, 2, 3];

/** READDIR3resok, which is what `count` limits, without entries: attributes, verifier, end of the list, eof */
export const REPLY_BYTES = 4 + FATTR3_BYTES + 8 + 4 + 4;
/** That it follows, fileid, length of the name, cookie */
export const ENTRY_BYTES = 4 + 8 + 4 + 8;
/** Entries asked of the file system at a time: what a reply will hardly have more of. */
const PAGE_ENTRIES_MAX = 1024;
const NAME_BYTES_TYPICAL = 12;
/** A reply cannot hold more. */
export const ENTRIES_MAX = TRANSFER_BYTES_MAX / ENTRY_BYTES;

/** What the file system lists, as it is: an object more for each entry costs as much as its encoding. */
export const LISTED = { ino: u64, name: filename3, cookieHigh: u32, cookieLow: u32 };

/** What may still go into a reply. */
export interface Budget {
  /** Bytes of entries. */
  bytes: number;
  /** READDIRPLUS: bytes of names, cookies and numbers (dircount); a hint, so the first entry may have more. */
  nameBytes: number;
  /** Entries. */
  taken: number;
}

export interface Listing {
  readonly directory: Attributes;
  readonly entries: DirectoryEntry[];
  readonly eof: boolean;
}

/** As many entries behind `after` as the budget has room for; a full page is followed by another one. */
export function fill(target: Target, after: Cookie, budget: Budget, entryBytes: number): Eventual<Listing> {
  const entries: DirectoryEntry[] = [];
  const more = (from: Cookie, dots: boolean): Eventual<Listing> => {
    const fits = Math.ceil(
      Math.min(budget.bytes / (entryBytes + NAME_BYTES_TYPICAL), budget.nameBytes / ENTRY_BYTES),
    );
    const limit = Math.max(1, Math.min(PAGE_ENTRIES_MAX, fits));
    return andThen(target.fileSystem.readdir(target.caller, target.node, from, limit), (page) => {
      const done = (eof: boolean): Listing => {
        if (entries.length === 0 && !eof) throw new NfsError(NfsStatus.TOOSMALL);
        return { directory: page.directory, entries, eof };
      };
      const hides = hasSnapshots(target);
      for (const next of dots ? withDots(target, page, after) : page.entries) {
        if (hides && isHidden(next)) continue;
        if (!take(budget, next, entryBytes)) return done(false);
        entries.push(next);
      }
      const last = page.entries.at(-1);
      if (page.end || !last) return done(true);
      return more({ high: last.cookieHigh, low: last.cookieLow }, false);
    });
  };
  return more(after, true);
}

function withDots(
  target: Target,
  { directory, parent, entries }: DirectoryPage,
  { high, low }: Cookie,
): readonly DirectoryEntry[] {
  if (high > 0 || low >= SNAPSHOTS_COOKIE) return entries;
  const first: DirectoryEntry[] = [];
  if (low < DOT_COOKIE) first.push(special(DOT, directory.ino, DOT_COOKIE));
  if (low < DOT_DOT_COOKIE) first.push(special(DOT_DOT, parent, DOT_DOT_COOKIE));
  if (hasSnapshots(target) && target.dataset.snapdir === 'visible')
    first.push(special(SNAPSHOTS_NAME, snapshotsFileId(directory.ino), SNAPSHOTS_COOKIE));
  return [...first, ...entries];
}

function special(name: Buffer, ino: number, cookieLow: number): DirectoryEntry {
  return { name, ino, cookieHigh: 0, cookieLow };
}

/** Whether it was made where `.snapshots` was an ordinary name: now the snapshots stand before it. */
function isHidden({ name, cookieHigh, cookieLow }: DirectoryEntry): boolean {
  return isSnapshotsName(name) && (cookieHigh > 0 || cookieLow > SNAPSHOTS_COOKIE);
}

function take(budget: Budget, { name }: DirectoryEntry, entryBytes: number): boolean {
  const nameBytes = padded(name.length);
  const bytes = entryBytes + nameBytes;
  if (bytes > budget.bytes) return false;
  if (budget.taken > 0 && ENTRY_BYTES + nameBytes > budget.nameBytes) return false;
  budget.taken++;
  budget.bytes -= bytes;
  budget.nameBytes -= ENTRY_BYTES + nameBytes;
  return true;
}
