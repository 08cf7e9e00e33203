// A value that is there now or comes later. The call path is synchronous where it can be (docs/performance.md): a
// caller tests for a promise and stays in the same turn when there is none.

export type Eventual<T> = T | Promise<T>;

/** Goes on with `next` in this turn when the value is there, else when it comes. */
export function andThen<T, U>(value: Eventual<T>, next: (value: T) => Eventual<U>): Eventual<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
