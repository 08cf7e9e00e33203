// sattr3 as the file system takes it.

import type { Timestamp } from '../../clock.ts';
import type { Changes } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { Sattr3, SetTime } from './types.ts';

const HIGH_MAX = 2 ** 21 - 1;

/** @throws FsError `EFBIG` for a size that no file can have */
export function changesOf({ mode, uid, gid, size, atime, mtime }: Sattr3): Changes {
  if (size && size.high > HIGH_MAX) throw new FsError('EFBIG');
  return {
    mode,
    uid,
    gid,
    size: size && size.high * 2 ** 32 + size.low,
    atime: timeOf(atime),
    mtime: timeOf(mtime),
  };
}

function timeOf(set: SetTime): Timestamp | 'now' | undefined {
  if (set.how === 0) return undefined;
  return set.how === 1 ? 'now' : set.time;
}
