// sattr3 as the file system takes it.

import type { Timestamp } from '../../clock.ts';
import type { Changes } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import { NO_ID } from '../rpc/credential.ts';
import type { Sattr3, SetTime } from './types.ts';

const NANOSECONDS_END = 1e9;

/**
 * A size beyond 2^53-1 is inexact here, but never as small as that: the file system answers it `EFBIG`.
 * @throws FsError `EINVAL` for a time that is none
 */
export function changesOf({ mode, uid, gid, size, atime, mtime }: Sattr3): Changes {
  return {
    mode,
    uid: idOf(uid),
    gid: idOf(gid),
    size: size && size.high * 2 ** 32 + size.low,
    atime: timeOf(atime),
    mtime: timeOf(mtime),
  };
}

/** "-1" leaves the owner as it is, as chown(2) has it and other servers do. */
function idOf(id: number | undefined): number | undefined {
  return id === NO_ID ? undefined : id;
}

function timeOf(set: SetTime): Timestamp | 'now' | undefined {
  if (set.how === 0) return undefined;
  if (set.how === 1) return 'now';
  if (set.time.nanoseconds >= NANOSECONDS_END) throw new FsError('EINVAL', 'A second has 1e9 nanoseconds');
  return set.time;
}
