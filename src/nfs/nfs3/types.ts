// The data types of NFSv3 (RFC 1813 §2.5, §2.6) as tables.

import type { Attributes } from '../../fs/file-system.ts';
import { NO_ID, NOBODY } from '../rpc/credential.ts';
import { RECORD_BYTES_MAX } from '../rpc/record.ts';
import { fixedOpaque, opaque, string } from '../xdr/opaque.ts';
import { u32, u64 } from '../xdr/primitives.ts';
import { struct } from '../xdr/struct.ts';
import { optional, union } from '../xdr/union.ts';
import type { XdrOf } from '../xdr/xdr.ts';

export const NFS_HANDLE_BYTES_MAX = 64;
/** filename3 and nfspath3 have no limit in the RFC: whatever came whole is read, and answered NAMETOOLONG if need be. */
const NAME_BYTES_READ_MAX = RECORD_BYTES_MAX;
/** rtmax and wtmax. */
export const TRANSFER_BYTES_MAX = 2 ** 20;

export const nfsFh3 = opaque(NFS_HANDLE_BYTES_MAX);
export const filename3 = string(NAME_BYTES_READ_MAX);
export const nfspath3 = string(NAME_BYTES_READ_MAX);
export const verifier3 = fixedOpaque(8);
/** cookie3 is a whole u64, and a number holds only 53 bits. */
export const cookie3 = struct({ high: u32, low: u32 });
const nfstime3 = struct({ seconds: u32, nanoseconds: u32 });

/** diropargs3 */
export const dirOpArgs3 = struct({ directory: nfsFh3, name: filename3 });
export type DirOpArgs3 = XdrOf<typeof dirOpArgs3>;

export const fattr3 = struct({
  type: u32,
  mode: u32,
  nlink: u32,
  uid: u32,
  gid: u32,
  size: u64,
  used: u64,
  rdevMajor: u32,
  rdevMinor: u32,
  fsidHigh: u32,
  fsidLow: u32,
  ino: u64,
  atimeSeconds: u32,
  atimeNanoseconds: u32,
  mtimeSeconds: u32,
  mtimeNanoseconds: u32,
  ctimeSeconds: u32,
  ctimeNanoseconds: u32,
});
export type Fattr3 = XdrOf<typeof fattr3>;
export const FATTR3_BYTES = 84;

/** fsid as its two halves: a snapshot's has more than 53 bits. */
export interface Fsid {
  readonly fsidHigh: number;
  readonly fsidLow: number;
}

/** An owner "-1", which earlier versions stored, would make a Linux client refuse the whole reply: it is nobody. */
export function fattr(attributes: Attributes, { fsidHigh, fsidLow }: Fsid): Fattr3 {
  return {
    type: attributes.type,
    mode: attributes.mode,
    nlink: attributes.nlink,
    uid: attributes.uid === NO_ID ? NOBODY : attributes.uid,
    gid: attributes.gid === NO_ID ? NOBODY : attributes.gid,
    size: attributes.size,
    used: attributes.allocated,
    rdevMajor: attributes.rdevMajor,
    rdevMinor: attributes.rdevMinor,
    fsidHigh,
    fsidLow,
    ino: attributes.ino,
    atimeSeconds: attributes.atimeSeconds,
    atimeNanoseconds: attributes.atimeNanoseconds,
    mtimeSeconds: attributes.mtimeSeconds,
    mtimeNanoseconds: attributes.mtimeNanoseconds,
    ctimeSeconds: attributes.ctimeSeconds,
    ctimeNanoseconds: attributes.ctimeNanoseconds,
  };
}

/** wcc_attr: {@link Attributes} have these fields. */
const wccAttr = struct({
  size: u64,
  mtimeSeconds: u32,
  mtimeNanoseconds: u32,
  ctimeSeconds: u32,
  ctimeNanoseconds: u32,
});

/** post_op_attr */
export const postOpAttr = optional(fattr3);
/** post_op_fh3 */
export const postOpFh3 = optional(nfsFh3);
/** wcc_data */
export const wccData = struct({ before: optional(wccAttr), after: postOpAttr });
export type WccData = XdrOf<typeof wccData>;

/** set_atime, set_mtime: 0 leave, 1 the server's clock, 2 as given. */
const setTime = union('how', { 0: {}, 1: {}, 2: { time: nfstime3 } });
export type SetTime = XdrOf<typeof setTime>;
/** A size as it is on the wire: one beyond 2^53-1 must be told from 2^53-1. */
const exactSize = struct({ high: u32, low: u32 });

export const sattr3 = struct({
  mode: optional(u32),
  uid: optional(u32),
  gid: optional(u32),
  size: optional(exactSize),
  atime: setTime,
  mtime: setTime,
});
export type Sattr3 = XdrOf<typeof sattr3>;

/** sattrguard3 */
export const sattrGuard3 = optional(nfstime3);
