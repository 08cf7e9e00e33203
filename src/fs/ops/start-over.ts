// The other half of `attempt` for hot reads: they call their body directly, and come here only when it threw. So the
// attempt that goes through at once allocates nothing for the one that is hardly ever needed.

import type { Eventual } from '../../eventual.ts';
import { Wait } from '../attempt.ts';

/** Waits for what `thrown` waits for, then calls `body` until it goes through; any other error is thrown on at once. */
export function startOver<A extends readonly unknown[], T>(
  thrown: unknown,
  body: (...args: A) => Eventual<T>,
  ...args: A
): Promise<T> {
  if (thrown instanceof Wait) return again(thrown, body, args);
  throw thrown;
}

async function again<A extends readonly unknown[], T>(
  first: Wait,
  body: (...args: A) => Eventual<T>,
  args: A,
): Promise<T> {
  let wait = first;
  for (;;) {
    await wait.until;
    try {
      return await body(...args);
    } catch (thrown) {
      if (!(thrown instanceof Wait)) throw thrown;
      wait = thrown;
    }
  }
}
