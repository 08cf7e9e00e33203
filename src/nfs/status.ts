// nfsstat3 (RFC 1813 §2.6): what each expected failure of a file system is to a client. A code that is missing in the
// table does not compile.

import type { FsErrorCode } from '../fs/fs-error.ts';

export const NfsStatus = {
  OK: 0,
  PERM: 1,
  NOENT: 2,
  IO: 5,
  ACCES: 13,
  EXIST: 17,
  XDEV: 18,
  NOTDIR: 20,
  ISDIR: 21,
  INVAL: 22,
  FBIG: 27,
  NOSPC: 28,
  ROFS: 30,
  MLINK: 31,
  NAMETOOLONG: 63,
  NOTEMPTY: 66,
  DQUOT: 69,
  STALE: 70,
  BADHANDLE: 10001,
  NOT_SYNC: 10002,
  BAD_COOKIE: 10003,
  NOTSUPP: 10004,
  TOOSMALL: 10005,
  SERVERFAULT: 10006,
  BADTYPE: 10007,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(NfsStatus).map(([name, status]) => [status, name]),
);

/** As the RFC has it, without its prefix; those of MOUNT have the same names and numbers. */
export function statusName(status: number): string {
  return NAMES.get(status) ?? String(status);
}

export const STATUS_OF: Readonly<Record<FsErrorCode, number>> = {
  EPERM: NfsStatus.PERM,
  ENOENT: NfsStatus.NOENT,
  EIO: NfsStatus.IO,
  EACCES: NfsStatus.ACCES,
  EEXIST: NfsStatus.EXIST,
  EXDEV: NfsStatus.XDEV,
  ENOTDIR: NfsStatus.NOTDIR,
  EISDIR: NfsStatus.ISDIR,
  EINVAL: NfsStatus.INVAL,
  EFBIG: NfsStatus.FBIG,
  ENOSPC: NfsStatus.NOSPC,
  EROFS: NfsStatus.ROFS,
  EMLINK: NfsStatus.MLINK,
  ENAMETOOLONG: NfsStatus.NAMETOOLONG,
  ENOTEMPTY: NfsStatus.NOTEMPTY,
  EDQUOT: NfsStatus.DQUOT,
  ESTALE: NfsStatus.STALE,
  ENOTSYNC: NfsStatus.NOT_SYNC,
  EBADTYPE: NfsStatus.BADTYPE,
};

/** A failure that only the protocol knows. */
export class NfsError extends Error {
  override readonly name = 'NfsError';
  readonly status: number;

  constructor(status: number) {
    super(`nfsstat3 ${status}`);
    this.status = status;
  }
}
