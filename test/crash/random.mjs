// Seeded randomness (splitmix32), so that a round's choices can be repeated, though not its timing.

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  u32() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  below(limit) {
    return this.u32() % limit;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** Bytes that no other call gives again, so that a block in the wrong place is seen. */
  bytes(length) {
    const words = new Uint32Array((length + 3) >> 2);
    for (let i = 0; i < words.length; i++) words[i] = this.u32();
    return Buffer.from(words.buffer, 0, length);
  }

  /** Picks a key by its weight. */
  weighted(weights) {
    let at = this.below(Object.values(weights).reduce((sum, weight) => sum + weight, 0));
    for (const [key, weight] of Object.entries(weights)) {
      at -= weight;
      if (at < 0) return key;
    }
    throw new RangeError('no weights');
  }
}
