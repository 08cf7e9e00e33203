// A MetaStore in memory: the model that the others are compared with. Keys are held as latin1 strings, whose order by
// code unit is the order by byte, in a map for `get` and in a sorted list for ranges.

import type { MetaStore, Range, Row, Write } from './meta-store.ts';

export class MemoryMetaStore implements MetaStore {
  readonly #rows = new Map<string, Row>();
  readonly #order: string[] = [];

  get(key: Buffer): Buffer | undefined {
    return this.#rows.get(key.toString('latin1'))?.[1];
  }

  async fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return keys.map((key) => this.get(key));
  }

  async page(range: Range, limit: number): Promise<Row[]> {
    return this.#slice(range, limit);
  }

  rows(range: Range): AsyncIterable<Row> {
    const rows = this.#slice(range, Number.POSITIVE_INFINITY);
    return {
      async *[Symbol.asyncIterator]() {
        yield* rows;
      },
    };
  }

  async write(batch: readonly Write[], _durable: boolean): Promise<void> {
    for (const { key, value } of batch) this.#apply(key, value);
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {}

  #apply(key: Buffer, value: Buffer | null): void {
    const name = key.toString('latin1');
    if (value === null) {
      if (this.#rows.delete(name)) this.#order.splice(this.#firstAtLeast(name), 1);
      return;
    }
    if (!this.#rows.has(name)) this.#order.splice(this.#firstAtLeast(name), 0, name);
    this.#rows.set(name, [Buffer.from(key), Buffer.from(value)]);
  }

  #slice({ gte, lt }: Range, limit: number): Row[] {
    const first = this.#firstAtLeast(gte.toString('latin1'));
    const end = Math.min(this.#firstAtLeast(lt.toString('latin1')), first + limit);
    return this.#order.slice(first, end).map((name) => this.#rows.get(name)!);
  }

  /** The index of the first key that is not below `name`. */
  #firstAtLeast(name: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order[middle]! < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
