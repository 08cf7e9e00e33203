// Comparisons by name: `dataset@snapshot` is what a snapshot keeps, `dataset` the live tree as it is when it is asked for.
// The live tree is kept for the time of the comparison, so that it is one moment while clients go on.

import type { Clock } from '../../clock.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import type { PinnedGeneration, PinnedGenerations } from '../../fs/pinned-generations.ts';
import { keys } from '../../kv/keys.ts';
import { findSource, type Source, type SourceParts } from '../source-names.ts';
import type { Change } from './change.ts';
import { compareMoments } from './compare.ts';
import type { Moment } from './moment.ts';

/** Changes that are told at once. */
const CHANGES_A_BATCH = 256;
/** Of a watch: the time between two looks. */
export const WATCH_MS = 1000;

export interface DiffRequest {
  readonly from: string;
  /** The live dataset of `from` when undefined. */
  readonly to: string | undefined;
  /** Also which bytes of files differ. */
  readonly ranges: boolean;
  /** Goes on with what changes, until it is aborted; `to` is a dataset then. */
  readonly watch: boolean;
}

export interface DiffParts extends SourceParts {
  readonly clock: Clock;
  readonly pins: PinnedGenerations;
}

export class Diffs {
  private readonly parts: DiffParts;

  constructor(parts: DiffParts) {
    this.parts = parts;
  }

  /** In batches, as they are found. @throws DatasetError */
  async *diff(request: DiffRequest, signal: AbortSignal): AsyncGenerator<readonly Change[]> {
    const source = this.source(request.from);
    if (request.to === undefined && source.snapshot === null && !request.watch) {
      const message = `${request.from} is a dataset: with what shall it be compared?`;
      throw new DatasetError('invalid', message);
    }
    const target = request.to ?? source.dataset.name;
    if (request.watch && this.source(target).snapshot !== null)
      throw new DatasetError('invalid', `${target} is a snapshot: nothing changes there`);
    let from = await this.pin(request.from);
    try {
      let to = await this.pin(target);
      try {
        yield* this.batches(from, to, request);
        while (request.watch && (await this.pause(signal))) {
          if (!(await this.hasChanged(target, to))) continue;
          from.release();
          from = to;
          to = await this.pin(target);
          yield* this.batches(from, to, request);
        }
      } finally {
        if (to !== from) to.release();
      }
    } finally {
      from.release();
    }
  }

  private source(name: string): Source {
    return findSource(this.parts, name);
  }

  private async pin(name: string): Promise<PinnedGeneration> {
    const { pins } = this.parts;
    const { dataset, snapshot } = this.source(name);
    return snapshot ? pins.pin(snapshot.tree, snapshot.generation) : pins.take(dataset.tree);
  }

  private async *batches(
    from: Moment,
    to: Moment,
    { ranges }: DiffRequest,
  ): AsyncGenerator<readonly Change[]> {
    let batch: Change[] = [];
    for await (const change of compareMoments(this.parts.store, from, to, { ranges })) {
      batch.push(change);
      if (batch.length < CHANGES_A_BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /** False when the watch is over. */
  private async pause(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    await new Promise<void>((resolve) => {
      const timer = this.parts.clock.after(WATCH_MS, done);
      signal.addEventListener('abort', done);
      function done(): void {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
    return !signal.aborted;
  }

  /** Without keeping anything, because most looks find nothing. */
  private async hasChanged(name: string, { tree, generation }: Moment): Promise<boolean> {
    const live = this.source(name).dataset.tree;
    if (live !== tree || live.dirty.size > 0) return true;
    const { store } = this.parts;
    await store.durable(store.ticket);
    const notes = {
      gte: keys.changed.range(tree.id, generation + 1).gte,
      lt: keys.changed.range(tree.id).lt,
    };
    return (await store.page(notes, 1)).length > 0;
  }
}
