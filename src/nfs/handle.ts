// File handles (RFC 1813 §2.6, opaque to clients): a name for an inode that holds across restarts, upgrades and moves
// to another machine, and that nobody else can make up.
//
//   handle := version:u8=1 0:u8{3} volume:u32 dataset:u32 snapshot:u32 ino:u64 generation:u32 mac:u64
//
// `volume` is the first word of the volume's uuid, `snapshot` 0 for the live file system and 2^32-1 for the `.snapshots`
// of the directory `ino`, the mac a SipHash-2-4 of all before it under the volume's key. Big-endian; 36 bytes of the 64
// that NFSv3 allows.

import { getU32, getU64, putU32, putU64 } from '../fs/big-endian.ts';
import type { NodeRef } from '../fs/file-system.ts';
import { type Hash64, sipHash } from '../fs/siphash.ts';
import { CachePool, TwoGenerationCache } from '../fs/two-generation-cache.ts';

/** On the wire and in clients' memory for as long as they have the file system mounted: never change. */
const VERSION = 1;
export const HANDLE_BYTES = 36;
const SNAPSHOT_AT = 12;
const INO_AT = 16;
const MAC_AT = 28;
const MAC_KEY_BYTES = 16;

/** What `snapshot` is for the live file system, and for a directory's `.snapshots`; else a snapshot's id. */
export const LIVE = 0;
export const SNAPSHOTS_DIRECTORY = 0xffff_ffff;

export interface HandleTarget extends NodeRef {
  readonly dataset: number;
  readonly snapshot: number;
}

interface KnownHandle {
  readonly handle: Buffer;
  readonly target: HandleTarget;
}

const KNOWN_MAX = 32_768;
const KNOWN_IN_SNAPSHOTS_MAX = 8192;

export interface VolumeIdentity {
  readonly uuid: Buffer;
  /** 32 bytes; the first half authenticates handles. */
  readonly handleKey: Buffer;
}

export class Handles {
  private readonly volume: number;
  private readonly mac: (bytes: Uint8Array) => Hash64;
  /** By inode number: a MAC costs 0.3 µs, and there is one in every call and in every entry of READDIRPLUS. */
  private readonly known = knownHandles(KNOWN_MAX);
  /** Apart, for an inode has the same number in all snapshots: a walk through them leaves the live ones where they are. */
  private readonly knownInSnapshots = knownHandles(KNOWN_IN_SNAPSHOTS_MAX);

  constructor({ uuid, handleKey }: VolumeIdentity) {
    this.volume = getU32(uuid, 0);
    this.mac = sipHash(handleKey.subarray(0, MAC_KEY_BYTES));
  }

  encode(dataset: number, node: NodeRef, snapshot: number = LIVE): Buffer {
    const { ino, generation } = node;
    const cache = this.cacheFor(snapshot);
    const known = cache.get(ino);
    if (
      known?.target.dataset === dataset &&
      known.target.generation === generation &&
      known.target.snapshot === snapshot
    ) {
      return known.handle;
    }
    const target = { dataset, snapshot, ino, generation };
    const handle = this.make(target);
    cache.set(ino, { handle, target });
    return handle;
  }

  /** Undefined for anything that this volume never gave out. */
  decode(handle: Buffer): HandleTarget | undefined {
    if (handle.length !== HANDLE_BYTES || getU32(handle, 0) !== VERSION << 24) return undefined;
    const ino = getU64(handle, INO_AT);
    const live = this.known.get(ino);
    if (live?.handle.equals(handle)) return live.target;
    const known = this.knownInSnapshots.get(ino);
    if (known?.handle.equals(handle)) return known.target;
    return this.checked(handle);
  }

  private checked(handle: Buffer): HandleTarget | undefined {
    const { high, low } = this.mac(handle.subarray(0, MAC_AT));
    if (getU32(handle, MAC_AT) !== high >>> 0 || getU32(handle, MAC_AT + 4) !== low >>> 0) return undefined;
    // With the right mac it is ours; of another volume with the same key (a copied data directory) it is not.
    if (getU32(handle, 4) !== this.volume) return undefined;
    const target = {
      dataset: getU32(handle, 8),
      snapshot: getU32(handle, SNAPSHOT_AT),
      ino: getU64(handle, INO_AT),
      generation: getU32(handle, 24),
    };
    this.cacheFor(target.snapshot).set(target.ino, { handle: Buffer.from(handle), target });
    return target;
  }

  private cacheFor(snapshot: number): KnownHandles {
    return snapshot === LIVE ? this.known : this.knownInSnapshots;
  }

  private make({ dataset, snapshot, ino, generation }: HandleTarget): Buffer {
    const handle = Buffer.allocUnsafe(HANDLE_BYTES);
    putU32(handle, 0, VERSION << 24);
    putU32(handle, 4, this.volume);
    putU32(handle, 8, dataset);
    putU32(handle, SNAPSHOT_AT, snapshot);
    putU64(handle, INO_AT, ino);
    putU32(handle, 24, generation);
    const { high, low } = this.mac(handle.subarray(0, MAC_AT));
    putU32(handle, MAC_AT, high);
    putU32(handle, MAC_AT + 4, low);
    return handle;
  }
}

type KnownHandles = TwoGenerationCache<number, KnownHandle>;

function knownHandles(max: number): KnownHandles {
  return new TwoGenerationCache(new CachePool(max));
}
