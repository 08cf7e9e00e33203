// How far LevelDB is: the row `journal/applied` says of which batch of the journal it is the state. Each batch that brings
// something of the journal there has the row in it. Where LevelDB has lost its last batches, with a log that was cut or is
// missing, the row is lost with them, and the journal is known to begin behind a hole.
//
// Only what is below the journal knows the row: readers of ranges do not see it.

import { keys } from './keys.ts';
import type { MetaStore, Range, Row, Write } from './meta-store.ts';
import { readSystem, systemWrite } from './system-row.ts';
import { VolumeError } from './volume-error.ts';

const NAME = 'journal/applied';
export const APPLIED_KEY = keys.system.key(NAME);

/** Of a LevelDB that has lost all, the row too: less than any head of a journal says. */
export const NOTHING_APPLIED = -1;

export function appliedRow(sequence: number): Write {
  return systemWrite(NAME, sequence);
}

/**
 * The sequence of the last batch that is in LevelDB; undefined in a volume from before there was such a row.
 *
 * @param repair a row that cannot be read counts as none
 */
export async function readApplied(level: MetaStore, repair: boolean): Promise<number | undefined> {
  try {
    return (await readSystem(level, [NAME]))[0] as number | undefined;
  } catch (error) {
    if (repair && error instanceof VolumeError && error.code === 'DAMAGED') return undefined;
    throw error;
  }
}

export function coversApplied({ gte, lt }: Range): boolean {
  return Buffer.compare(gte, APPLIED_KEY) <= 0 && Buffer.compare(APPLIED_KEY, lt) < 0;
}

export function isApplied([key]: Row): boolean {
  return key.equals(APPLIED_KEY);
}

export async function* withoutApplied(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
  for await (const row of rows) if (!isApplied(row)) yield row;
}
