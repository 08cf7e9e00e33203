// Rows in key order with newer ones laid over them.

import type { Row, Write } from './meta-store.ts';

/** @param over in ascending key order, each key once; a deletion hides the row below it */
export async function* overlaid(
  below: AsyncIterable<Row> | readonly Row[],
  over: readonly Write[],
): AsyncGenerator<Row> {
  let next = 0;
  for await (const row of below) {
    let hidden = false;
    for (; next < over.length; next++) {
      const { key, value } = over[next]!;
      const order = Buffer.compare(key, row[0]);
      if (order > 0) break;
      if (order === 0) hidden = true;
      if (value) yield [key, value];
    }
    if (!hidden) yield row;
  }
  for (; next < over.length; next++) {
    const { key, value } = over[next]!;
    if (value) yield [key, value];
  }
}
