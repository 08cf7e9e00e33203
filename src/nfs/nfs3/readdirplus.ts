// READDIRPLUS (RFC 1813 §3.3.17): a directory's entries with their attributes and handles.
//
// What a client asks for again is answered with the bytes of the last time, until something of an inode in it changes
// (fs/listed-pages.ts). The directory's own attributes and the right to read it are looked at each time.
//
// Handles and attributes are what LOOKUP gives, so they are for those who may search the directory. Others who may read
// it get the names, as from the Linux server, and neither use nor leave what is kept.

import { andThen, type Eventual } from '../../eventual.ts';
import { Access, type Attributes, type Cookie, type DirectoryEntry } from '../../fs/file-system.ts';
import { accessBits } from '../../fs/permission.ts';
import { HANDLE_BYTES } from '../handle.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { type Target, targetOf } from '../target.ts';
import { encodeMessage } from '../xdr/message.ts';
import { bool, u32 } from '../xdr/primitives.ts';
import { list } from '../xdr/sequence.ts';
import { struct } from '../xdr/struct.ts';
import type { Xdr } from '../xdr/xdr.ts';
import {
  COOKIE_VERIFIER,
  ENTRIES_MAX,
  ENTRY_BYTES,
  fill,
  LISTED,
  type Listing,
  REPLY_BYTES,
} from './directory-listing.ts';
import { type NfsContext, postOp } from './nfs-context.ts';
import { query } from './nfs-procedure.ts';
import {
  cookie3,
  FATTR3_BYTES,
  type Fattr3,
  fattr,
  nfsFh3,
  postOpAttr,
  postOpFh3,
  TRANSFER_BYTES_MAX,
  verifier3,
} from './types.ts';

const READ_AND_SEARCH = Access.read | Access.lookup;

const PLUS_BYTES = 4 + FATTR3_BYTES + 4 + 4 + HANDLE_BYTES;

/** entryplus3, but for the pointer to the next one */
const plusEntry = struct({ ...LISTED, attributes: postOpAttr, handle: postOpFh3 });

/** dirlistplus3, or the bytes that it was encoded to before. */
const plusListing = struct({ entries: list(plusEntry, ENTRIES_MAX), eof: bool });
const keptListing: Xdr<PlusListing | Buffer> = {
  ...plusListing,
  encode(to, value) {
    if (Buffer.isBuffer(value)) to.encoded(value);
    else plusListing.encode(to, value);
  },
};

interface Asked {
  readonly cookie: Cookie;
  /** dircount */
  readonly nameCount: number;
  /** maxcount */
  readonly count: number;
}

interface PlusListing {
  readonly entries: readonly PlusEntry[];
  readonly eof: boolean;
}

interface PlusEntry extends DirectoryEntry {
  readonly attributes: Fattr3 | undefined;
  readonly handle: Buffer | undefined;
}

export function readdirplus(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READDIRPLUS',
    args: struct({ directory: nfsFh3, cookie: cookie3, verifier: verifier3, nameCount: u32, count: u32 }),
    ok: struct({ attributes: postOpAttr, verifier: verifier3, listing: keptListing }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { directory }) => ({ attributes: postOp(context, call, directory) }),
    run(call, { directory, cookie, nameCount, count }) {
      const target = targetOf(context, call, directory);
      const asked = { cookie, nameCount, count };
      call.replyBytes = Math.min(count, TRANSFER_BYTES_MAX);
      const anew = () => listAnew(context, target, asked);
      const kept = target.fileSystem.listedPages?.find(pageKey(target, asked));
      if (!kept) return anew();
      const checked = target.fileSystem.access(target.caller, target.node, READ_AND_SEARCH);
      // What took reading was looked at in another turn than the page.
      if (checked instanceof Promise) return checked.then(anew);
      if (checked.granted !== READ_AND_SEARCH) return anew();
      return answer(target, checked.attributes, kept);
    },
  });
}

function answer(target: Target, directory: Attributes, listing: PlusListing | Buffer) {
  return { attributes: fattr(directory, target), verifier: COOKIE_VERIFIER, listing };
}

function listAnew(context: NfsContext, target: Target, asked: Asked) {
  const { cookie, nameCount, count } = asked;
  const bytes = Math.min(count, TRANSFER_BYTES_MAX) - REPLY_BYTES;
  // Without a hint maxcount alone counts, as RFC 8881 §18.23.3 says of the same field.
  const budget = { bytes, nameBytes: nameCount || Number.POSITIVE_INFINITY, taken: 0 };
  // What is kept has to be of one turn: in another one its inodes may have changed since they were looked at.
  let sameTurn = true;
  const reply = andThen(fill(target, cookie, budget, ENTRY_BYTES + PLUS_BYTES), (found) => {
    const { directory, eof } = found;
    if (accessBits(target.caller, directory, Access.lookup) === 0)
      return answer(target, directory, { entries: found.entries.map(nameAlone), eof });
    return andThen(withAttributes(context, target, found), (entries) => {
      const listing = { entries, eof };
      const encoded = sameTurn ? keep(target, asked, listing) : undefined;
      return answer(target, directory, encoded ?? listing);
    });
  });
  sameTurn = false;
  return reply;
}

/** The listing as it was encoded; undefined where it is not to be kept. */
function keep(target: Target, asked: Asked, listing: PlusListing): Buffer | undefined {
  const { listedPages } = target.fileSystem;
  const key = pageKey(target, asked);
  if (!listedPages?.wants(key, listing.entries.length + 1)) return undefined;
  const encoded = encodeMessage(plusListing, listing);
  // The directory's own: its names are in the page. `.snapshots` is no inode.
  const inos = [target.node.ino];
  for (const { ino } of listing.entries) if (Number.isSafeInteger(ino)) inos.push(ino);
  listedPages.keep(key, inos, encoded);
  return encoded;
}

/** All that a listing depends on, but for the inodes that it shows. */
function pageKey({ node, dataset, fsidHigh, fsidLow }: Target, { cookie, nameCount, count }: Asked): string {
  return `${node.ino} ${cookie.high} ${cookie.low} ${nameCount} ${count} ${dataset.snapdir} ${fsidHigh} ${fsidLow}`;
}

function nameAlone({ name, ino, cookieHigh, cookieLow }: DirectoryEntry): PlusEntry {
  return { name, ino, cookieHigh, cookieLow, attributes: undefined, handle: undefined };
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
