// The value of a TOMBSTONE key, in the envelope of checked-value.ts. The key says all that is needed to reclaim the data
// id's chunks, and what is reclaimed is gone, so a drain that is cut short begins again where chunks are left.
//
//   body := (empty)          format 1: chunks may be left
//                            format 2: drained; in a tree with a parent it stays, as the whiteout of all its windows

import { checkedValue, sealChecked } from './checked-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const DRAINED_FORMAT = 2;

export const TOMBSTONE_VALUE = sealChecked(checkedValue(FORMAT, 0));
export const DRAINED_TOMBSTONE_VALUE = sealChecked(checkedValue(DRAINED_FORMAT, 0));

export function isDrained(tombstone: Buffer): boolean {
  return tombstone.equals(DRAINED_TOMBSTONE_VALUE);
}
