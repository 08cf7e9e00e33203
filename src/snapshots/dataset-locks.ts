// Operations of several turns on one dataset follow one another: a rollback cuts the data that a snapshot before it is
// still flushing, and two snapshots would both want the next generation. Those of other datasets go on.

import { Deferred } from '../deferred.ts';

export class DatasetLocks {
  /** Of each dataset, the end of the last operation that wants it. */
  private readonly ends = new Map<number, Promise<void>>();

  /** All are asked for in one turn, so of two operations one is first in every dataset that both want. */
  async hold<T>(datasets: readonly number[], operation: () => Promise<T>): Promise<T> {
    const { ends } = this;
    const before = datasets.map((id) => ends.get(id));
    const mine = new Deferred();
    for (const id of datasets) ends.set(id, mine.promise);
    try {
      await Promise.all(before);
      return await operation();
    } finally {
      for (const id of datasets) if (ends.get(id) === mine.promise) ends.delete(id);
      mine.resolve();
    }
  }
}
