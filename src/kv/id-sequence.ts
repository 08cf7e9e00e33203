// Ids that are never given twice, not after a crash either: a block of them is reserved durably before its first is
// used. What is left of a block is lost with the process.

import type { Eventual } from '../eventual.ts';

export interface IdSequenceSettings {
  /** For messages: what the ids are of. */
  readonly noun: string;
  /** The ids from this one up to, but without, `end` are reserved already. */
  readonly from: number;
  readonly end: number;
  readonly block: number;
  readonly max: number;
  /** Makes durable that every id below `end` may have been used. */
  reserve(end: number): Promise<void>;
}

export class IdSequence {
  readonly #settings: IdSequenceSettings;
  #next: number;
  #end: number;
  #reserving: Promise<void> | undefined;

  constructor(settings: IdSequenceSettings) {
    this.#settings = settings;
    this.#next = settings.from;
    this.#end = settings.end;
  }

  /** An id in this turn while there are some in reserve, which is nearly always: half a block is kept ahead. */
  take(): Eventual<number> {
    if (this.#next === this.#end) return this.#reserve().then(() => this.take());
    const id = this.#next++;
    // When this fails, the call that finds no id left asks again and is told why.
    if (this.#end - this.#next < this.#settings.block / 2) this.#reserve().catch(() => {});
    return id;
  }

  #reserve(): Promise<void> {
    this.#reserving ??= this.#reserveBlock().finally(() => {
      this.#reserving = undefined;
    });
    return this.#reserving;
  }

  async #reserveBlock(): Promise<void> {
    const { noun, max, block } = this.#settings;
    const end = Math.min(this.#end + block, max + 1);
    if (end === this.#end)
      throw new RangeError(`Cannot number another ${noun}: all ids up to ${max} are used`);
    await this.#settings.reserve(end);
    this.#end = end;
  }
}
