// A MetaStore that acknowledges a batch once it is in a journal, and brings it to LevelDB later, many batches at once.
//
// Why: LevelDB's log grows with every batch, so each sync also commits the file's new size; and of the rows that a busy
// directory writes again with every file, LevelDB gets only the newest. Measured beside LevelDB's own synced batches:
// see docs/performance.md.
//
//   D/journal/a, b    two files, written in turn. One that is full is brought to LevelDB in one synced batch while the
//                     other is written; its next use begins with a head that says so
//
// What is not in LevelDB yet is in memory too (twice JOURNAL_BYTES, and a table of 1 MiB for each), and lies over LevelDB
// for reads; what has come there lately is still read from memory. A start brings what the files hold to LevelDB before
// anything else. Each batch that goes there says how far LevelDB is then (applied-row.ts).

import type { Clock, Random, Timer } from '../clock.ts';
import {
  appliedRow,
  coversApplied,
  isApplied,
  NOTHING_APPLIED,
  readApplied,
  withoutApplied,
} from './applied-row.ts';
import type { JournalFile } from './journal/journal-file.ts';
import { openJournal } from './journal/open-journal.ts';
import { WritesInTurn } from './journal/writes-in-turn.ts';
import { keyBehind } from './keyspace.ts';
import type { TableFinding } from './level/level-files.ts';
import type { LevelMetaStore } from './level-meta-store.ts';
import type { MetaStore, Range, Row, Write } from './meta-store.ts';
import { overlaid } from './overlaid-rows.ts';

/** Of each of the two files. */
const JOURNAL_BYTES = 8 << 20;
/** What waits in the journal is brought to LevelDB after so long at the latest. */
const APPLY_AFTER_MS = 2000;

export interface JournalSettings {
  readonly clock: Clock;
  /** The volume has had a journal: files that are missing are damage. */
  readonly required: boolean;
  /** LevelDB has had the row that says how far it is: not unless given. */
  readonly saysApplied?: boolean;
  /** Gives up what damage has made unreadable, instead of refusing to open. */
  readonly repair: boolean;
  /** {@link JOURNAL_BYTES} unless given. */
  readonly bytes?: number;
  readonly random: Random;
  /** Asked before each batch: true when all who call wait for it, so that it may hold the thread. Never unless given. */
  readonly isThreadFree?: (() => boolean) | undefined;
}

export class JournaledMetaStore implements MetaStore {
  private readonly level: LevelMetaStore;
  private readonly clock: Clock;
  private readonly turns: WritesInTurn;
  /** The file that is written. */
  private current: JournalFile;
  /** The other one: on its way to LevelDB, or there already. */
  private older: JournalFile;
  private sequence: number;
  /** What is in LevelDB. */
  private applied: number;
  /** The append under way, and those that wait for it. */
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;
  private applying: Promise<void> = Promise.resolve();
  private timer: Timer | null = null;
  private failure: unknown;

  private constructor(
    level: LevelMetaStore,
    files: readonly [JournalFile, JournalFile],
    sequence: number,
    { clock, isThreadFree }: { clock: Clock; isThreadFree: () => boolean },
  ) {
    this.level = level;
    [this.current, this.older] = files;
    this.sequence = this.applied = sequence;
    this.clock = clock;
    // While LevelDB writes too, the medium is slower.
    this.turns = new WritesInTurn(clock, () => this.older.isSettled && isThreadFree());
  }

  /**
   * Takes `level` over, and brings to it what the journal in `directory` holds.
   *
   * @throws VolumeError when the journal is damaged or missing, and `repair` is not asked for
   */
  static async open(
    level: LevelMetaStore,
    directory: string,
    settings: JournalSettings,
  ): Promise<JournaledMetaStore> {
    const { clock, random, required, repair, bytes = JOURNAL_BYTES, isThreadFree = () => false } = settings;
    const applied = await appliedIn(level, settings);
    const journal = await openJournal(directory, { bytes, random, required, repair, applied });
    try {
      if (journal.sequence !== applied)
        await level.writeSlowly([...journal.rows, appliedRow(journal.sequence)]);
      for (const file of journal.files) await file.restart(journal.sequence);
    } catch (error) {
      for (const file of journal.files) await file.close();
      throw error;
    }
    return new JournaledMetaStore(level, journal.files, journal.sequence, { clock, isThreadFree });
  }

  get damage(): readonly TableFinding[] {
    return this.level.damage;
  }

  get(key: Buffer): Buffer | undefined {
    const found = this.inJournal(key);
    return found === undefined ? this.level.get(key) : (found ?? undefined);
  }

  async fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    const found = keys.map((key) => this.inJournal(key));
    const stored = await this.level.fetch(keys);
    return found.map((value, at) => (value === undefined ? stored[at] : (value ?? undefined)));
  }

  async page(range: Range, limit: number): Promise<Row[]> {
    if (!coversApplied(range)) return this.pageOf(range, limit);
    const rows = await this.pageOf(range, limit + 1);
    return rows.filter((row) => !isApplied(row)).slice(0, limit);
  }

  rows(range: Range): AsyncIterable<Row> {
    const rows = overlaid(this.level.rows(range), this.overlay(range, Number.POSITIVE_INFINITY));
    return coversApplied(range) ? withoutApplied(rows) : rows;
  }

  /** Every batch is durable when it resolves, whatever is asked for: the journal knows no other. */
  write(batch: readonly Write[]): Promise<void> {
    // The bytes are taken in this turn: into the image, or when that has to wait, aside.
    if (this.waiting === 0 && this.current.fits(batch)) return this.inOrder(this.append(batch));
    const taken = batch.map(copyOf);
    return this.inOrder(this.last.then(() => this.append(taken)));
  }

  async compact(): Promise<void> {
    await this.level.compact();
  }

  async close(): Promise<void> {
    this.timer?.cancel();
    await this.last;
    try {
      if (!this.failure) await this.applyAll();
      // The next start finds nothing to do.
      if (!this.failure) await this.current.restart(this.applied);
    } finally {
      await Promise.all([this.current.close(), this.older.close()]);
      await this.level.close();
    }
  }

  private async pageOf(range: Range, limit: number): Promise<Row[]> {
    const over = this.overlay(range, limit);
    if (over.length === 0) return this.level.page(range, limit);
    // Behind the last of so many rows the page has ended. Each row hides one of those below it at most.
    const isEnded = over.filter(({ value }) => value).length < limit;
    const below = isEnded ? range : { gte: range.gte, lt: keyBehind(over.at(-1)!.key) };
    const page: Row[] = [];
    for await (const row of overlaid(await this.level.page(below, limit + over.length), over)) {
      if (page.length === limit) break;
      page.push(row);
    }
    return page;
  }

  /** What begins later begins behind `task`. */
  private inOrder(task: Promise<void>): Promise<void> {
    this.waiting++;
    const done = () => {
      this.waiting--;
    };
    this.last = task.then(done, done);
    return task;
  }

  private async append(batch: readonly Write[]): Promise<void> {
    if (this.failure) throw new Error('Cannot write: an earlier batch failed', { cause: this.failure });
    if (batch.length === 0) return;
    try {
      if (!this.current.fits(batch)) await this.turnOver();
      if (this.current.fits(batch)) {
        this.sequence++;
        await this.current.append(this.sequence, batch, this.turns);
        this.timer ??= this.clock.after(APPLY_AFTER_MS, () => this.applySoon());
      } else await this.writePast(batch);
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  /** A batch that is larger than the journal: behind all of it, straight to LevelDB. */
  private async writePast(batch: readonly Write[]): Promise<void> {
    await this.applyAll();
    // What they hold is older than the batch.
    this.current.clear();
    this.older.clear();
    const sequence = this.sequence + 1;
    await this.level.write([...batch, appliedRow(sequence)], true);
    this.sequence = this.applied = sequence;
    // The records of the file begin behind the batch.
    await this.current.restart(sequence);
  }

  /** The other file is written from here on, once it is free. */
  private async turnOver(): Promise<void> {
    await this.applying;
    if (this.failure) throw this.failure;
    await this.older.restart(this.applied);
    const full = this.current;
    this.current = this.older;
    this.older = full;
    this.timer?.cancel();
    this.timer = null;
    this.applying = this.apply(full, this.sequence).catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  private async apply(file: JournalFile, through: number): Promise<void> {
    if (file.isSettled) return;
    await this.level.writeSlowly(rowsThrough(file, through));
    this.applied = through;
    file.settle();
  }

  private async applyAll(): Promise<void> {
    await this.turnOver();
    await this.applying;
    if (this.failure) throw this.failure;
  }

  private applySoon(): void {
    this.timer = null;
    const turned = this.last.then(() => (this.failure ? undefined : this.turnOver()));
    this.inOrder(turned).catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  /** Null where it is deleted, undefined where the journal does not say. */
  private inJournal(key: Buffer): Buffer | null | undefined {
    const found = this.current.find(key);
    return found === undefined ? this.older.find(key) : found;
  }

  /** What lies over LevelDB in a range, ascending, up to so many rows that are not deleted. */
  private overlay(range: Range, limit: number): readonly Write[] {
    const over: Write[] = [];
    for (const [id, file] of laidOver(this.older, this.current, range)) {
      const row = file.row(id);
      over.push(row);
      if (row.value && --limit <= 0) break;
    }
    return over;
  }
}

/** The keys of both files in a range, ascending, each with the file that has its newest row. */
function* laidOver(older: JournalFile, newer: JournalFile, range: Range): Generator<[string, JournalFile]> {
  if (older.isSettled && newer.isSettled) return;
  const [below, above] = [older.idsIn(range), newer.idsIn(range)];
  let [old, young] = [below.next(), above.next()];
  while (!old.done || !young.done) {
    if (!young.done && (old.done || young.value <= old.value)) {
      yield [young.value, newer];
      if (!old.done && old.value === young.value) old = below.next();
      young = above.next();
    } else if (!old.done) {
      yield [old.value, older];
      old = below.next();
    }
  }
}

/** Undefined where LevelDB cannot say. */
async function appliedIn(
  level: LevelMetaStore,
  { repair, saysApplied }: JournalSettings,
): Promise<number | undefined> {
  // Of tables that were given up an older row may have come back: LevelDB has more than it says.
  if (level.hasOldRows) return undefined;
  return (await readApplied(level, repair)) ?? (saysApplied ? NOTHING_APPLIED : undefined);
}

function* rowsThrough(file: JournalFile, sequence: number): Generator<Write> {
  yield* file.rows();
  yield appliedRow(sequence);
}

function copyOf({ key, value }: Write): Write {
  return { key: Buffer.from(key), value: value && Buffer.from(value) } as Write;
}
