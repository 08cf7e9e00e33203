// A MetaStore on LevelDB in a local directory: everything is resident, so `get` always answers.
//
// Batches are written one at a time, in the order of the calls: LevelDB would take overlapping ones in any order. They
// are built as chained batches: 50 puts take 40 µs of the main thread, as an array 330.
//
// LevelDB syncs only the log that a durable batch lands in. When it has begun a new log since, batches in the one before
// are safe only once their table is written, so a power cut could keep a late batch and lose an early one. A durable
// batch behind others that were not therefore syncs every log first.

import { open as openFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { TableFinding } from './level/level-files.ts';
import { closeDatabase, type Database, type OpenedDatabase, openDatabase } from './level/open-database.ts';
import {
  MetaReadError,
  type MetaStore,
  MetaWriteError,
  type Range,
  type Row,
  type Write,
} from './meta-store.ts';

export interface LevelSettings {
  /** Uncompressed blocks kept in memory. */
  readonly cacheBytes?: number;
  /** A log grows to this size before it becomes a table; up to two such buffers are in memory. */
  readonly writeBufferBytes?: number;
  /** Whether to make the database when there is none; else that is damage. */
  readonly create: boolean;
  /** Gives up what damage has made unreadable, instead of refusing to open. */
  readonly repair?: boolean;
}

const CACHE_BYTES = 32 << 20;
const WRITE_BUFFER_BYTES = 16 << 20;
/** Rows that `rows` asks for at once. */
const PAGE_ROWS = 1000;
/** Bytes that one trip to LevelDB brings at most, give or take a row. */
const PAGE_BYTES = 256 << 10;
/** Rows that are put into a large batch at a time: a tenth of a millisecond. */
const PACE_ROWS = 128;
const FIRST_KEY = Buffer.alloc(1, 0);
const LAST_KEY = Buffer.alloc(64, 0xff);

type Batch = ReturnType<Database['batch']>;

export class LevelMetaStore implements MetaStore {
  /** Found in the tables before they were opened. */
  readonly damage: readonly TableFinding[];
  /** Of what was given up in tables older rows may have come back. */
  readonly hasOldRows: boolean;
  readonly #database: Database;
  #last: Promise<void> = Promise.resolve();
  #unsynced = false;
  #failure: unknown;

  private constructor({ database, damage, hasOldRows }: OpenedDatabase) {
    this.#database = database;
    this.damage = damage;
    this.hasOldRows = hasOldRows;
  }

  /** @throws VolumeError */
  static async open(location: string, settings: LevelSettings): Promise<LevelMetaStore> {
    const opened = await openDatabase(location, {
      cacheBytes: settings.cacheBytes ?? CACHE_BYTES,
      writeBufferBytes: settings.writeBufferBytes ?? WRITE_BUFFER_BYTES,
      create: settings.create,
      repair: settings.repair ?? false,
    });
    return new LevelMetaStore(opened);
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(key);
    } catch (error) {
      throw unreadable(error);
    }
  }

  fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.#database.getMany(keys as Buffer[]).catch((error: unknown) => {
      throw unreadable(error);
    });
  }

  async page(range: Range, limit: number): Promise<Row[]> {
    if (limit === 0) return [];
    const iterator = this.#database.iterator({
      ...range,
      limit,
      highWaterMarkBytes: PAGE_BYTES,
      fillCache: true,
    });
    try {
      const rows: Row[] = [];
      while (rows.length < limit) {
        const some = await iterator.nextv(limit - rows.length);
        if (some.length === 0) break;
        rows.push(...some);
      }
      return rows;
    } catch (error) {
      throw unreadable(error);
    } finally {
      // Nobody has to wait for that: a close of the database does. What it fails with was said by the read.
      void iterator.close().catch(() => {});
    }
  }

  /** The iterable keeps its view of the store until it is consumed, left, or the store is closed; iterate it once. */
  rows(range: Range): AsyncIterable<Row> {
    const iterator = this.#database.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES, fillCache: false });
    return {
      async *[Symbol.asyncIterator]() {
        try {
          for (;;) {
            const some = await iterator.nextv(PAGE_ROWS);
            if (some.length === 0) return;
            yield* some;
          }
        } catch (error) {
          throw unreadable(error);
        } finally {
          // What it fails with was said by the read.
          await iterator.close().catch(() => {});
        }
      },
    };
  }

  async write(batch: readonly Write[], durable: boolean): Promise<void> {
    const chained = this.#database.batch();
    for (const write of batch) put(chained, write);
    const written = this.#last.then(() => this.#commit(chained, durable));
    this.#last = written.catch(() => {});
    await written;
  }

  /** A large durable batch: the main thread does other things in between. Nothing else is written meanwhile. */
  async writeSlowly(batch: Iterable<Write>): Promise<void> {
    const chained = this.#database.batch();
    let rows = 0;
    for (const write of batch) {
      put(chained, write);
      if (++rows % PACE_ROWS === 0) await setImmediate();
    }
    await this.#commit(chained, true);
  }

  async compact(): Promise<void> {
    await this.#database.compactRange(FIRST_KEY, LAST_KEY);
  }

  async close(): Promise<void> {
    await this.#last;
    await closeDatabase(this.#database);
  }

  async #commit(batch: Batch, durable: boolean): Promise<void> {
    try {
      if (this.#failure) throw new Error('Cannot write: an earlier batch failed', { cause: this.#failure });
      if (durable && this.#unsynced) await syncLogs(this.#database.location);
      if (!durable && batch.length > 0) this.#unsynced = true;
      await batch.write({ sync: durable });
      if (durable) this.#unsynced = false;
    } catch (error) {
      this.#failure ??= error;
      await batch.close();
      // LevelDB writes nothing more once a compaction has met damage.
      if (!isOfMedium(error)) throw error;
      throw new MetaWriteError(`Cannot write the metadata: ${(error as Error).message}`, { cause: error });
    }
  }
}

function put(batch: Batch, { key, value }: Write): void {
  if (value === null) batch.del(key);
  else batch.put(key, value);
}

function isOfMedium(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'LEVEL_CORRUPTION' || /^(Corruption|IO error)/.test(String((error as Error).message));
}

function unreadable(error: unknown): unknown {
  if (!isOfMedium(error)) return error;
  return new MetaReadError(`Cannot read the metadata: ${(error as Error).message}`, { cause: error });
}

async function syncLogs(location: string): Promise<void> {
  for (const name of await readdir(location)) {
    if (!name.endsWith('.log')) continue;
    try {
      const log = await openFile(join(location, name), 'r');
      try {
        await log.datasync();
      } finally {
        await log.close();
      }
    } catch (error) {
      // LevelDB deletes a log once all of it is in a table, which it has synced.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
