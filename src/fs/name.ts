// Which names a directory entry may have. Names are bytes: no encoding, no normalization, no case.
//
// The statuses are those that RFC 1813 allows to each procedure:
//
//                        empty, `/`, NUL   > 255 bytes    `.`      `..`     `.snapshots`
//   lookup               EACCES (§3.2)     ENAMETOOLONG   –        –        –
//   create, link and co  EACCES            ENAMETOOLONG   EEXIST   EEXIST   EACCES          (§3.3.9)
//   remove               EACCES            ENAMETOOLONG   EACCES   EACCES   –
//   rmdir                EACCES            ENAMETOOLONG   EINVAL   EEXIST   –               (§3.3.13)
//   rename from          EACCES            ENAMETOOLONG   EINVAL   EINVAL   –               (§3.3.14)
//   rename to            EACCES            ENAMETOOLONG   EINVAL   EINVAL   EACCES
//
// REMOVE may not answer INVAL, so `.` and `..` get ACCES there, as from the Linux server. `.snapshots` is reserved in
// every directory, so that showing snapshots there can never hide a user's file; where snapdir=disabled it is a name
// like others.

import { NAME_BYTES_MAX } from './file-system.ts';
import { FsError, type FsErrorCode } from './fs-error.ts';

export type NameUse = 'lookup' | 'create' | 'remove' | 'rmdir' | 'rename-source' | 'rename-target';

const DOT = 0x2e;
const SLASH = 0x2f;
const RESERVED = Buffer.from('.snapshots');

interface Refusals {
  readonly dot?: FsErrorCode;
  readonly dotDot?: FsErrorCode;
  readonly reserved?: FsErrorCode;
}

const REFUSALS: Record<NameUse, Refusals> = {
  lookup: {},
  create: { dot: 'EEXIST', dotDot: 'EEXIST', reserved: 'EACCES' },
  remove: { dot: 'EACCES', dotDot: 'EACCES' },
  rmdir: { dot: 'EINVAL', dotDot: 'EEXIST' },
  'rename-source': { dot: 'EINVAL', dotDot: 'EINVAL' },
  'rename-target': { dot: 'EINVAL', dotDot: 'EINVAL', reserved: 'EACCES' },
};

/** @throws FsError when no entry of this name could be meant. */
export function checkName(name: Buffer, use: NameUse, reservesSnapshots = true): void {
  if (name.length === 0) throw new FsError('EACCES', 'Cannot use an empty name');
  if (name.length > NAME_BYTES_MAX) {
    throw new FsError(
      'ENAMETOOLONG',
      `Cannot use a name of ${name.length} bytes: at most ${NAME_BYTES_MAX} are allowed`,
    );
  }
  for (let i = 0; i < name.length; i++) {
    if (name[i] === SLASH || name[i] === 0)
      throw new FsError('EACCES', 'Cannot use a name with a / or a NUL');
  }
  if (name[0] !== DOT) return;
  const { dot, dotDot, reserved } = REFUSALS[use];
  if (dot && isDot(name)) throw new FsError(dot, `Cannot use the name . for ${use}`);
  if (dotDot && isDotDot(name)) throw new FsError(dotDot, `Cannot use the name .. for ${use}`);
  if (reserved && reservesSnapshots && name.equals(RESERVED))
    throw new FsError(reserved, 'Cannot use the reserved name .snapshots');
}

export function isDot(name: Buffer): boolean {
  return name.length === 1 && name[0] === DOT;
}

export function isDotDot(name: Buffer): boolean {
  return name.length === 2 && name[0] === DOT && name[1] === DOT;
}
