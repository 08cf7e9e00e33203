// What a refusal of the snapshots' registry is to a client that made or removed an entry of `.snapshots`: a status that
// RFC 1813 allows to MKDIR and RMDIR. NFSv3 has no "busy".

import { DatasetError, type DatasetErrorCode } from '../datasets/datasets.ts';
import { FsError, type FsErrorCode } from '../fs/fs-error.ts';

const CODE_OF: Readonly<Record<DatasetErrorCode, FsErrorCode>> = {
  'not-found': 'ENOENT',
  exists: 'EEXIST',
  busy: 'EACCES',
  invalid: 'EACCES',
  denied: 'EACCES',
  'no-space': 'ENOSPC',
  unimplemented: 'EACCES',
};

/** Anything but a refusal as it is. */
export function asFsError(error: unknown): unknown {
  if (!(error instanceof DatasetError)) return error;
  return new FsError(CODE_OF[error.code], error.message, { cause: error });
}
