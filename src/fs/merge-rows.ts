// Two streams of rows of one family, each in key order, as one. Keys are compared without their tree.

const TREE_END = 5;

export type KeyedRow = readonly [key: Buffer, ...rest: unknown[]];

/** The rows of both; where both have a key, that of `top`. Each iterable must be fresh, and is ended with this one. */
export async function* mergeRows<T extends KeyedRow, B extends KeyedRow>(
  top: AsyncIterable<T>,
  bottom: AsyncIterable<B>,
): AsyncGenerator<T | B> {
  const [one, other] = [top[Symbol.asyncIterator](), bottom[Symbol.asyncIterator]()];
  try {
    let [above, below] = await Promise.all([one.next(), other.next()]);
    while (!above.done || !below.done) {
      const order = above.done ? 1 : below.done ? -1 : compare(above.value[0], below.value[0]);
      if (order > 0) yield below.value as B;
      else yield above.value as T;
      if (order >= 0) below = await other.next();
      if (order <= 0) above = await one.next();
    }
  } finally {
    await Promise.all([one.return?.(), other.return?.()]);
  }
}

function compare(one: Buffer, other: Buffer): number {
  return one.compare(other, TREE_END, other.length, TREE_END, one.length);
}
