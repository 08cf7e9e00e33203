// Who may change owner, group, mode and times of an inode, what then happens to setuid and setgid, and what a new
// inode starts with. POSIX with _POSIX_CHOWN_RESTRICTED, in the details as Linux does it.

import { type Attributes, type Caller, type Changes, FileType } from './file-system.ts';
import { FsError } from './fs-error.ts';
import { inGroup, isOwner, isRoot, may, mayWriteData, SETGID, SETUID, Want } from './permission.ts';

const MODE_BITS = 0o7777;
const GROUP_EXECUTE = 0o010;

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** @throws FsError `EPERM` where only an owner may, `EACCES` where write permission would do. */
export function checkChanges(caller: Caller, node: Attributes, changes: Changes): void {
  if (isRoot(caller)) return;
  const { uid, gid, mode, size, atime, mtime } = changes;
  const owner = isOwner(caller, node);
  if (mode !== undefined && !owner) throw new FsError('EPERM', 'Only the owner may change the mode');
  if (uid !== undefined && !(owner && uid === node.uid)) {
    throw new FsError('EPERM', 'Only root may give a file to another user');
  }
  if (gid !== undefined && !(owner && (gid === node.gid || inGroup(caller, gid)))) {
    throw new FsError('EPERM', 'Only the owner may change the group, and only to a group of their own');
  }
  if (size !== undefined && !mayWriteData(caller, node)) throw new FsError('EACCES');
  if (owner) return;
  const explicit = [atime, mtime].some((time) => time !== undefined && time !== 'now');
  if (explicit) throw new FsError('EPERM', 'Only the owner may set the times to a given value');
  const now = atime === 'now' || mtime === 'now';
  if (now && !may(caller, node, Want.write)) throw new FsError('EACCES');
}

/**
 * The mode after changes that {@link checkChanges} let through. What changes hands loses its privilege, root's wish for it
 * in the same call included: so the Linux server has it (nfsd_sanitize_attrs).
 */
export function modeAfterChanges(caller: Caller, node: Attributes, changes: Changes): number {
  const gid = changes.gid ?? node.gid;
  const chosen = changes.mode !== undefined;
  let mode = chosen ? changes.mode & MODE_BITS : node.mode;
  if (chosen && !isRoot(caller) && !inGroup(caller, gid)) mode &= ~SETGID;
  const chowned = changes.uid !== undefined || changes.gid !== undefined;
  const rewritten = changes.size !== undefined && !chosen && !isRoot(caller);
  const losesPrivilege = (chowned || rewritten) && node.type !== FileType.directory;
  return losesPrivilege ? withoutPrivilege(caller, mode, gid) : mode;
}

/** The mode after a write: new contents must not run with the old contents' privilege. */
export function modeAfterWrite(caller: Caller, node: Attributes): number {
  return isRoot(caller) ? node.mode : withoutPrivilege(caller, node.mode, node.gid);
}

/**
 * Owner, group and mode of a new inode. In a setgid directory the group is the directory's, and a new directory is
 * setgid too. Another owner than the caller is root's to give; others' wish for one is passed over, as by the Linux server.
 */
export function ownershipOfNew(
  caller: Caller,
  directory: Attributes,
  node: { readonly type: FileType; readonly changes: Changes; readonly defaultMode: number },
): Ownership {
  const { type, changes, defaultMode } = node;
  const inherits = (directory.mode & SETGID) !== 0;
  const uid = isRoot(caller) ? (changes.uid ?? caller.uid) : caller.uid;
  const mayGiveGroup = changes.gid !== undefined && (isRoot(caller) || inGroup(caller, changes.gid));
  const gid = mayGiveGroup ? changes.gid! : inherits ? directory.gid : caller.gid;
  let mode = (changes.mode ?? defaultMode) & MODE_BITS;
  // Only of what it would be a privilege for: without group execute Linux leaves it (mode_strip_sgid).
  if ((mode & GROUP_EXECUTE) !== 0 && !isRoot(caller) && !inGroup(caller, gid)) mode &= ~SETGID;
  if (inherits && type === FileType.directory) mode |= SETGID;
  return { uid, gid, mode };
}

/** Setgid without group execute is no privilege; it stays for members of the group. */
function withoutPrivilege(caller: Caller, mode: number, gid: number): number {
  const member = isRoot(caller) || inGroup(caller, gid);
  const keepsSetgid = (mode & GROUP_EXECUTE) === 0 && member;
  return mode & ~SETUID & (keepsSetgid ? ~0 : ~SETGID);
}
