// What operations hand to the commit worker. An item is applied whole, in ticket order; all items that wait become
// one atomic batch.

import type { Write } from '../kv/meta-store.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { Frame } from './extent.ts';
import type { ForwardedFrame } from './live-frames.ts';
import type { Tree } from './tree.ts';

/** The key families that have versions, by their prefix byte. */
export const VersionedKind = { inode: 0x01, entry: 0x02, link: 0x14, chunk: 0xfe } as const;
export type VersionedKind = (typeof VersionedKind)[keyof typeof VersionedKind];

export interface VersionedKey {
  readonly kind: VersionedKind;
  readonly key: Buffer;
  /** The key as a latin1 string, the overlay's and the batch's map key. */
  readonly id: string;
}

/** A key to be visited, and where a note led to it. */
export interface Visit {
  readonly key: VersionedKey;
  readonly noted: number | null;
}

/** A new version of a key; `value` null deletes. The value is not sealed: the worker sets birth and checksum. */
export interface VersionedWrite extends VersionedKey {
  readonly value: Buffer | null;
  /** What the value of a chunk says, where it is at hand: the worker need not decode it. */
  readonly map?: ChunkMap | null;
}

/** What the fork of a clone shows under a key. */
export interface FlatVersion extends VersionedKey {
  readonly value: Buffer;
}

/** A copy of an inherited frame. */
export interface OwnFrame {
  readonly frame: Frame;
  readonly named: NamedFrame;
}

/** A frame that an item names for the first time: its bit is set in the item's batch. */
export interface NamedFrame {
  readonly segment: number;
  readonly index: number;
  /** End of the frame in its segment, and its bytes there with the header. */
  readonly end: number;
  readonly stored: number;
}

/** What the worker does besides writing versions. */
export type Action =
  | { readonly kind: 'write' }
  /** Chunks of a dead data id, at the death generation of the unlink. */
  | { readonly kind: 'drain'; readonly death: number }
  | { readonly kind: 'keep'; readonly holder: Buffer }
  /** One holder more, or one less, of the kept generation that the item is stamped with. */
  | { readonly kind: 'hold' | 'release'; readonly holder: Buffer }
  /** Takes away the versions of these keys that nobody needs. */
  | { readonly kind: 'visit'; readonly visits: readonly Visit[] }
  /** The tree has no head any more: only its kept generations are shown. */
  | { readonly kind: 'behead' }
  /** Puts what the fork of a clone shows underneath what the clone has: see detach/flatten-key.ts. */
  | { readonly kind: 'flatten'; readonly versions: readonly FlatVersion[] }
  /** That is done with every key: reads stop at the tree. */
  | { readonly kind: 'flat' }
  /** All versions of a chunk key name these copies in place of the frames that they inherit, by frameId. */
  | { readonly kind: 'own'; readonly key: VersionedKey; readonly copies: ReadonlyMap<number, OwnFrame> }
  /** The tree has no parent any more. */
  | { readonly kind: 'orphan' }
  /** All that only the generation needed which the item is stamped with is gone. */
  | { readonly kind: 'swept' }
  | { readonly kind: 'repack'; readonly segment: number; readonly frames: readonly ForwardedFrame[] }
  | { readonly kind: 'forget-segment'; readonly segment: number };

export interface Item {
  readonly tree: Tree | null;
  /** The accept generation of the turn of the stage, or the older stamp of a flush. */
  readonly generation: number;
  readonly action: Action;
  readonly writes: readonly VersionedWrite[];
  /** Rows without versions: registry, tombstones, replies, jobs. The turn that stages may still add to them. */
  readonly rows: Write[];
  readonly usedBytes: number;
  readonly usedInodes: number;
  readonly named: readonly NamedFrame[];
  /** Called when the batch is applied: segments in flight land. */
  readonly landed: (() => void) | null;
}

export interface QueuedItem extends Item {
  readonly ticket: number;
}

export const WRITE: Action = { kind: 'write' };

/** Defaults of an item; `rows` has none, because each item needs its own. What is busy writes all fields out instead. */
export const PLAIN_ITEM: Omit<Item, 'rows'> = {
  tree: null,
  generation: 0,
  action: WRITE,
  writes: [],
  usedBytes: 0,
  usedInodes: 0,
  named: [],
  landed: null,
};

/** Field by field: a copy of a shape that is not known beforehand costs microseconds. */
export function queued(item: Item, ticket: number): QueuedItem {
  return {
    tree: item.tree,
    generation: item.generation,
    action: item.action,
    writes: item.writes,
    rows: item.rows,
    usedBytes: item.usedBytes,
    usedInodes: item.usedInodes,
    named: item.named,
    landed: item.landed,
    ticket,
  };
}
