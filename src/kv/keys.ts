// Where everything is in a volume's MetaStore. This is the format on disk: never renumber, never reuse.
//
//   key                                                              value
//   01 tree:u32 ino:u64                                              INODE: inode record
//   02 tree:u32 dir:u64 cookieHigh:u32 cookieLow:u32                 DIR_ENTRY: the entries whose name hashes there
//   03, 04                                                           reserved (the published layout's directory scan
//                                                                    and cookie counter, which hashed cookies replace)
//   05 tree:u32                                                      STATS: used bytes, used inodes
//   06 name:utf8                                                     SYSTEM: format, features, uuid, keys, watermarks
//   07 tree:u32 dataId:u64 death:u32                                 TOMBSTONE: what is left to reclaim
//   08 dataset:u32                                                   DATASET: dataset record
//   09 kind:u8 name:bytes                                            DATASET_REGISTRY: index by name, by uuid, default
//   0A dataset:u32 snapshot:u32                                      SNAPSHOT: (tree, generation), holds, counters
//   0B tree:u32                                                      TREE: parent, current generation
//   0C tree:u32 kind:u8 rest:bytes death:u32                         HISTORY: the version that died in `death`
//   0D tree:u32 generation:u32 kind:u8 rest:bytes                    CHANGED: empty; first touched in `generation`
//   0E tree:u32 first:u32 last:u32                                   SPACE: held only by that run of kept generations
//   0F segment:u64                                                   SEGMENT: total bytes, live bitmap, state
//   10 segment:u64 block:u32                                         FORWARD: where those frames live now
//   11 tree:u32 generation:u32                                       KEPT: who holds it
//   12 slot:u32                                                      REPLY: a reply to a non-idempotent call
//   13 job:u32                                                       JOB: resumable work
//   14 tree:u32 ino:u64 parent:u64 cookieHigh:u32 cookieLow:u32      LINK: a parent beyond the inode's own four
//   15-1F                                                            reserved: XATTR and ACL, NSM monitors, bookmarks,
//                                                                    usage by uid and project, wrapped keys
//   FE tree:u32 dataId:u64 window:u64                                CHUNK: extent map of the window, or inline bytes
//
// Integers are big-endian. A u64 is at most 2^53-1, except a cookie: that is a whole u64, kept as two u32 halves.
// `kind` and `rest` are the key of a versioned record (01, 02, 14, FE) without its tree: its prefix byte, and all
// that follows the tree. The kind fixes the length of the rest, so the deaths of one key are contiguous and ascend.
// A `last` of FFFFFFFF in SPACE is the head.

import { bytes, keyspace, u8, u32, u64, utf8 } from './keyspace.ts';

const tree = u32('tree');

export const keys = {
  inode: keyspace(0x01, tree, u64('ino')),
  dirEntry: keyspace(0x02, tree, u64('dir'), u32('cookieHigh'), u32('cookieLow')),
  stats: keyspace(0x05, tree),
  system: keyspace(0x06, utf8('name')),
  tombstone: keyspace(0x07, tree, u64('dataId'), u32('death')),
  dataset: keyspace(0x08, u32('dataset')),
  datasetRegistry: keyspace(0x09, u8('kind'), bytes('name')),
  snapshot: keyspace(0x0a, u32('dataset'), u32('snapshot')),
  tree: keyspace(0x0b, tree),
  history: keyspace(0x0c, tree, u8('kind'), bytes('rest'), u32('death')),
  changed: keyspace(0x0d, tree, u32('generation'), u8('kind'), bytes('rest')),
  space: keyspace(0x0e, tree, u32('first'), u32('last')),
  segment: keyspace(0x0f, u64('segment')),
  forward: keyspace(0x10, u64('segment'), u32('block')),
  kept: keyspace(0x11, tree, u32('generation')),
  reply: keyspace(0x12, u32('slot')),
  job: keyspace(0x13, u32('job')),
  link: keyspace(0x14, tree, u64('ino'), u64('parent'), u32('cookieHigh'), u32('cookieLow')),
  chunk: keyspace(0xfe, tree, u64('dataId'), u64('window')),
} as const;

/** Any key of a versioned family, as HISTORY and CHANGED name it. */
export const versioned = {
  parse(key: Buffer): { tree: number; kind: number; rest: Buffer } {
    return { tree: key.readUInt32BE(1), kind: key[0]!, rest: key.subarray(5) };
  },
  key(tree: number, kind: number, rest: Buffer): Buffer {
    const key = Buffer.allocUnsafe(5 + rest.length);
    key[0] = kind;
    key.writeUInt32BE(tree, 1);
    key.set(rest, 5);
    return key;
  },
} as const;
