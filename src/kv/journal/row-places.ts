// Where the newest row of each key is in the image of a journal file: a hash table over the image itself.
//
// A Map of strings would do; but each row would make a string of its key, which lives until the file is full, and a Map
// of 50,000 is copied whenever it doubles, into pages that are new each time: together a fifth of a RENAME.
//
//   slots := (hash:u32 place:u32){2^n}      place 0 is a free slot: rows begin behind the head; at most half are taken

import { keyIs } from './journal-record.ts';

/** 1 MiB: more than a file of 8 MiB has rows as a rule. */
const SLOTS_MIN = 1 << 17;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class RowPlaces {
  private readonly image: Buffer;
  private readonly seed: number;
  private slots = new Uint32Array(2 * SLOTS_MIN);
  private taken = 0;

  /** @param seed whoever chooses keys must not know it: they could choose such as all want the same slot */
  constructor(image: Buffer, seed: number) {
    this.image = image;
    this.seed = seed;
  }

  get size(): number {
    return this.taken;
  }

  /** 0 when the key has no row. */
  find(key: Uint8Array): number {
    return this.slots[this.slotOf(key, this.hash(key)) + 1]!;
  }

  /** The row at `place` is the newest of its key now. True when the key had none. */
  set(key: Uint8Array, place: number): boolean {
    const hash = this.hash(key);
    const slot = this.slotOf(key, hash);
    const isNew = this.slots[slot + 1] === 0;
    this.slots[slot] = hash;
    this.slots[slot + 1] = place;
    if (isNew && 4 * ++this.taken > this.slots.length) this.grow();
    return isNew;
  }

  /** In no order; good until the next change. */
  *places(): Generator<number> {
    for (let slot = 1; slot < this.slots.length; slot += 2) {
      const place = this.slots[slot]!;
      if (place !== 0) yield place;
    }
  }

  clear(): void {
    if (this.slots.length > 2 * SLOTS_MIN) this.slots = new Uint32Array(2 * SLOTS_MIN);
    else this.slots.fill(0);
    this.taken = 0;
  }

  /** That of the key, or the free one where it belongs. */
  private slotOf(key: Uint8Array, hash: number): number {
    const { slots, image } = this;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const place = slots[slot + 1]!;
      if (place === 0 || (slots[slot] === hash && keyIs(image, place, key))) return slot;
    }
  }

  private hash(key: Uint8Array): number {
    let hash = FNV_OFFSET ^ this.seed;
    for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key[at]!, FNV_PRIME);
    // The low bits choose the slot, and the last bytes of a key have hardly been mixed into the others.
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  private grow(): void {
    const { slots } = this;
    const grown = new Uint32Array(2 * slots.length);
    const mask = grown.length - 1;
    for (let from = 0; from < slots.length; from += 2) {
      if (slots[from + 1] === 0) continue;
      let to = (slots[from]! << 1) & mask;
      while (grown[to + 1] !== 0) to = (to + 2) & mask;
      grown[to] = slots[from]!;
      grown[to + 1] = slots[from + 1]!;
    }
    this.slots = grown;
  }
}
