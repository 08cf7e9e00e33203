// Expected failures of file-system operations, by POSIX name. How NFS says them stands in nfs/status.ts.

export type FsErrorCode =
  | 'EPERM'
  | 'ENOENT'
  | 'EIO'
  | 'EACCES'
  | 'EEXIST'
  | 'EXDEV'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EINVAL'
  | 'EFBIG'
  | 'ENOSPC'
  | 'EROFS'
  | 'EMLINK'
  | 'ENAMETOOLONG'
  | 'ENOTEMPTY'
  | 'EDQUOT'
  | 'ESTALE'
  /** The guard of a SETATTR does not match the inode's ctime. */
  | 'ENOTSYNC'
  /** An object of a type that cannot be made this way. */
  | 'EBADTYPE';

export class FsError extends Error {
  override readonly name = 'FsError';
  readonly code: FsErrorCode;

  constructor(code: FsErrorCode, message: string = code, options?: ErrorOptions) {
    // An expected failure needs no stack, and taking one costs 5 µs: a LOOKUP that finds nothing is no rare thing.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
  }
}
