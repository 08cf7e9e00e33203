import { type MetaStore, NOT_RESIDENT, type Range, type Row, type Write } from '../../src/kv/meta-store.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A store most of whose rows are elsewhere: `get` answers "not resident" at random. */
export class AbsentMetaStore implements MetaStore {
  readonly #store: MetaStore;
  readonly #random: SeededRandom;
  readonly #absence: number;
  /** Keys whose next get is answered, because they were just fetched. */
  readonly #fetched = new Set<string>();

  /** @param absence how often a get is not answered, from 0 to 1 */
  constructor(store: MetaStore, random: SeededRandom, absence = 0.3) {
    this.#store = store;
    this.#random = random;
    this.#absence = absence;
  }

  get(key: Buffer): Buffer | undefined | typeof NOT_RESIDENT {
    if (this.#fetched.delete(key.toString('latin1')) || this.#random() >= this.#absence)
      return this.#store.get(key);
    return NOT_RESIDENT;
  }

  async fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    const values = await this.#store.fetch(keys);
    for (const key of keys) this.#fetched.add(key.toString('latin1'));
    return values;
  }

  page(range: Range, limit: number): Promise<Row[]> {
    return this.#store.page(range, limit);
  }

  rows(range: Range): AsyncIterable<Row> {
    return this.#store.rows(range);
  }

  write(batch: readonly Write[], durable: boolean): Promise<void> {
    return this.#store.write(batch, durable);
  }

  compact(): Promise<void> {
    return this.#store.compact();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
