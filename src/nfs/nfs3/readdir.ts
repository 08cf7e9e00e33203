// READDIR and READDIRPLUS (RFC 1813 §3.3.16, §3.3.17).
//
// Each entry has its cookie for ever, so the cookie verifier is constant and no cookie is ever bad. `.`, `..` and, where
// snapdir=visible, `.snapshots` come first, under the cookies 1, 2 and 3. A reply holds as many entries as fit in the
// bytes that the client allows, at least one; TOOSMALL says that not even one does.

import { andThen, type Eventual } from '../../eventual.ts';
import type { Attributes, Cookie, DirectoryEntry, DirectoryPage } from '../../fs/file-system.ts';
import { hasSnapshots } from '../descend.ts';
import { HANDLE_BYTES } from '../handle.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { isSnapshotsName, SNAPSHOTS_NAME, snapshotsFileId } from '../snapshots-directory.ts';
import { NfsError, NfsStatus } from '../status.ts';
import { type Target, targetOf } from '../target.ts';
import { bool, u32, u64 } from '../xdr/primitives.ts';
import { list } from '../xdr/sequence.ts';
import { struct } from '../xdr/struct.ts';
import { padded } from '../xdr/xdr.ts';
import { type NfsContext, postOp } from './nfs-context.ts';
import { query } from './nfs-procedure.ts';
import {
  cookie3,
  FATTR3_BYTES,
  type Fattr3,
  fattr,
  filename3,
  nfsFh3,
  postOpAttr,
  postOpFh3,
  TRANSFER_BYTES_MAX,
  verifier3,
} from './types.ts';

const COOKIE_VERIFIER = Buffer.alloc(8);
const [DOT, DOT_DOT] = [Buffer.from('.'), Buffer.from('..')];
const [DOT_COOKIE, DOT_DOT_COOKIE, SNAPSHOTS_COOKIE] = [1, 2, 3];

/** status, attributes, verifier, end of the list, eof */
const REPLY_BYTES = 4 + 4 + FATTR3_BYTES + 8 + 4 + 4;
/** That it follows, fileid, length of the name, cookie */
const ENTRY_BYTES = 4 + 8 + 4 + 8;
const PLUS_BYTES = 4 + FATTR3_BYTES + 4 + 4 + HANDLE_BYTES;
/** Entries asked of the file system at a time: what a reply will hardly have more of. */
const PAGE_ENTRIES_MAX = 1024;
const NAME_BYTES_TYPICAL = 12;
/** A reply cannot hold more. */
const ENTRIES_MAX = TRANSFER_BYTES_MAX / ENTRY_BYTES;

/** What the file system lists, as it is: an object more for each entry costs as much as its encoding. */
const LISTED = { ino: u64, name: filename3, cookieHigh: u32, cookieLow: u32 };
/** entry3, but for the pointer to the next one */
const entry = struct(LISTED);
/** entryplus3, likewise */
const plusEntry = struct({ ...LISTED, attributes: postOpAttr, handle: postOpFh3 });

interface PlusEntry extends DirectoryEntry {
  readonly attributes: Fattr3 | undefined;
  readonly handle: Buffer | undefined;
}

/** What may still go into a reply. */
interface Budget {
  /** Bytes of the whole reply. */
  bytes: number;
  /** READDIRPLUS: bytes of names, cookies and numbers (dircount); a hint, so the first entry may have more. */
  nameBytes: number;
  /** Entries. */
  taken: number;
}

interface Listing {
  readonly directory: Attributes;
  readonly entries: DirectoryEntry[];
  readonly eof: boolean;
}

export function readdir(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READDIR',
    args: struct({ directory: nfsFh3, cookie: cookie3, verifier: verifier3, count: u32 }),
    ok: struct({ attributes: postOpAttr, verifier: verifier3, entries: list(entry, ENTRIES_MAX), eof: bool }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { directory }) => ({ attributes: postOp(context, call, directory) }),
    run(call, { directory, cookie, count }) {
      const target = targetOf(context, call, directory);
      const bytes = Math.min(count, TRANSFER_BYTES_MAX) - REPLY_BYTES;
      const budget = { bytes, nameBytes: Number.POSITIVE_INFINITY, taken: 0 };
      return andThen(fill(target, cookie, budget, ENTRY_BYTES), ({ directory: found, entries, eof }) => ({
        attributes: fattr(found, target),
        verifier: COOKIE_VERIFIER,
        entries,
        eof,
      }));
    },
  });
}

export function readdirplus(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READDIRPLUS',
    args: struct({ directory: nfsFh3, cookie: cookie3, verifier: verifier3, nameCount: u32, count: u32 }),
    ok: struct({
      attributes: postOpAttr,
      verifier: verifier3,
      entries: list(plusEntry, ENTRIES_MAX),
      eof: bool,
    }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { directory }) => ({ attributes: postOp(context, call, directory) }),
    run(call, { directory, cookie, nameCount, count }) {
      const target = targetOf(context, call, directory);
      const bytes = Math.min(count, TRANSFER_BYTES_MAX) - REPLY_BYTES;
      // Without a hint maxcount alone counts, as RFC 8881 §18.23.3 says of the same field.
      const budget = { bytes, nameBytes: nameCount || Number.POSITIVE_INFINITY, taken: 0 };
      return andThen(fill(target, cookie, budget, ENTRY_BYTES + PLUS_BYTES), (listing) =>
        andThen(withAttributes(context, target, listing), (entries) => ({
          attributes: fattr(listing.directory, target),
          verifier: COOKIE_VERIFIER,
          entries,
          eof: listing.eof,
        })),
      );
    },
  });
}

/** As many entries behind `after` as the budget has room for; a full page is followed by another one. */
function fill(target: Target, after: Cookie, budget: Budget, entryBytes: number): Eventual<Listing> {
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

/**
 * Attributes and handles of the entries. One that went meanwhile has none. What another dataset or a snapshot shows is
 * left for the client to look up: it is another file system. So is `.snapshots`.
 */
function withAttributes(
  { handles }: NfsContext,
  target: Target,
  { entries }: Listing,
): Eventual<PlusEntry[]> {
  const { fileSystem, dataset, snapshot } = target;
  // `.snapshots` is no inode, and 0 is none either.
  const inos = entries.map(({ ino }) => (Number.isSafeInteger(ino) ? ino : 0));
  return andThen(fileSystem.attributesOf(inos), (all) =>
    entries.map(({ name, ino, cookieHigh, cookieLow }, at) => {
      const attributes = all[at];
      const shown = attributes && attributes.mountedDataset === 0 ? attributes : undefined;
      return {
        name,
        ino,
        cookieHigh,
        cookieLow,
        attributes: shown && fattr(shown, target),
        handle: shown && handles.encode(dataset.id, shown, snapshot),
      };
    }),
  );
}
