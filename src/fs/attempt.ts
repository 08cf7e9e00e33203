// An operation is one turn: it reads what it needs, checks, and stages all its writes without letting go of the
// thread, so nothing can come between. What it cannot have at once (a record that is not resident, an inode that a
// longer operation holds, older-stamped dirty data) ends the attempt: nothing was staged, it waits and starts over.

import type { Eventual } from '../eventual.ts';

/** Thrown (it is no error, so it has no stack) to end an attempt; `until` resolves when trying again makes sense. */
export class Wait {
  readonly until: Promise<unknown>;

  constructor(until: Promise<unknown>) {
    this.until = until;
  }
}

/** Runs `body` until it goes through without waiting; in this turn when it can. */
export function attempt<T>(body: () => Eventual<T>): Eventual<T> {
  try {
    return body();
  } catch (thrown) {
    if (thrown instanceof Wait) return thrown.until.then(() => attempt(body));
    throw thrown;
  }
}
