// Who may do what with an inode: POSIX mode bits, as a local file system applies them, with the two exceptions that
// RFC 1813 §4.4 makes for file data.
//
// A client checks permission once, when it opens a file, and goes on after a chmod; NFSv3 has no open. So READ and
// WRITE let the owner through whatever the mode says, and READ also whoever may execute (a program's pages are read).
// ACCESS stays strict: it is what the client asks at open, and there the mode must count, for the owner too.

import { Access, type Attributes, type Caller, FileType } from './file-system.ts';

/** Bits of one permission class; combined with `|`, all are wanted. */
export const Want = { read: 4, write: 2, execute: 1 } as const;

export const SETUID = 0o4000;
export const SETGID = 0o2000;
export const STICKY = 0o1000;
const ANY_EXECUTE = 0o111;

type Owned = Pick<Attributes, 'uid' | 'gid' | 'mode' | 'type'>;

export function isRoot(caller: Caller): boolean {
  return caller.uid === 0;
}

export function isOwner(caller: Caller, node: Owned): boolean {
  return caller.uid === node.uid;
}

export function inGroup(caller: Caller, gid: number): boolean {
  return caller.gid === gid || caller.groups.includes(gid);
}

/** Whether the mode grants all of `want`: exactly one class counts, the first of owner, group and others that fits. */
export function may(caller: Caller, node: Owned, want: number): boolean {
  if (isRoot(caller)) {
    const needsExecute = (want & Want.execute) !== 0 && node.type !== FileType.directory;
    return !needsExecute || (node.mode & ANY_EXECUTE) !== 0;
  }
  const shift = isOwner(caller, node) ? 6 : inGroup(caller, node.gid) ? 3 : 0;
  return ((node.mode >> shift) & want) === want;
}

/** READ (RFC 1813 §4.4). */
export function mayReadData(caller: Caller, node: Owned): boolean {
  return isOwner(caller, node) || may(caller, node, Want.read) || may(caller, node, Want.execute);
}

/** WRITE, and SETATTR of the size (RFC 1813 §4.4). */
export function mayWriteData(caller: Caller, node: Owned): boolean {
  return isOwner(caller, node) || may(caller, node, Want.write);
}

/** Making an entry. */
export function mayAddEntry(caller: Caller, directory: Owned): boolean {
  return may(caller, directory, Want.write | Want.execute);
}

/** Taking the entry of `node` away: REMOVE, RMDIR, both ends of a RENAME. In a sticky directory only an owner may. */
export function mayRemoveEntry(caller: Caller, directory: Owned, node: Owned): boolean {
  if (!mayAddEntry(caller, directory)) return false;
  if ((directory.mode & STICKY) === 0 || isRoot(caller)) return true;
  return isOwner(caller, node) || isOwner(caller, directory);
}

/** The subset of the {@link Access} bits `wanted` that is granted. Bits that mean nothing for the type never are. */
export function accessBits(caller: Caller, node: Owned, wanted: number): number {
  let granted = 0;
  if (may(caller, node, Want.read)) granted |= Access.read;
  if (node.type === FileType.directory) {
    if (may(caller, node, Want.execute)) granted |= Access.lookup;
    if (mayAddEntry(caller, node)) granted |= Access.modify | Access.extend | Access.delete;
  } else {
    if (may(caller, node, Want.write)) granted |= Access.modify | Access.extend;
    if (may(caller, node, Want.execute)) granted |= Access.execute;
  }
  return granted & wanted;
}
