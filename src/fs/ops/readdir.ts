// Reading a directory, for READDIR and READDIRPLUS (RFC 1813 §3.3.16, §3.3.17).
//
// An entry's cookie is its own for as long as it is there, and the listing goes up by cookie: whatever happens between
// two pages, a name present throughout comes exactly once.

import type { Eventual } from '../../eventual.ts';
import type { Caller, Cookie, DirectoryPage, NodeRef } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { readRun } from '../listing.ts';
import { pageOf } from '../listing-cache.ts';
import { attributesOf, inodeOf, type ReadContext } from '../operation.ts';
import { may, Want } from '../permission.ts';
import { checkDirectory, parentOf } from './directory.ts';
import { startOver } from './start-over.ts';

/**
 * Entries behind `after`: at least one unless that is the end, fewer than `limit` also where more would take reading.
 * @param limit at least 1
 */
export function readdir(
  context: ReadContext,
  caller: Caller,
  directory: NodeRef,
  after: Cookie,
  limit: number,
): Eventual<DirectoryPage> {
  try {
    return readdirNow(context, caller, directory, after, limit);
  } catch (thrown) {
    return startOver(thrown, readdirNow, context, caller, directory, after, limit);
  }
}

function readdirNow(
  context: ReadContext,
  caller: Caller,
  directory: NodeRef,
  after: Cookie,
  limit: number,
): Eventual<DirectoryPage> {
  const { records } = context;
  const record = inodeOf(context, directory);
  checkDirectory(record);
  if (!may(caller, record, Want.read)) throw new FsError('EACCES');
  const parent = parentOf(record);
  const attributes = attributesOf(context, record);
  const kept = records.tree.listings.page(record, after, limit);
  if (kept) return { entries: kept.entries, end: kept.end, directory: attributes, parent };
  return readRun(records, record, after).then((run) => {
    const page = pageOf(run, after, limit);
    // Everything on this stretch was removed meanwhile: an empty page would look like the end.
    if (page.entries.length === 0 && !page.end) {
      return readdir(context, caller, directory, run.through!, limit);
    }
    return { entries: page.entries, end: page.end, directory: attributes, parent };
  });
}
