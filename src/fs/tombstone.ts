// The value of a TOMBSTONE key, in the envelope of checked-value.ts. The key says all that is needed to reclaim the data
// id's chunks, and what is reclaimed is gone, so a drain that is cut short begins again where chunks are left.
//
//   body := (empty)

import { checkedValue, sealChecked } from './checked-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;

export const TOMBSTONE_VALUE = sealChecked(checkedValue(FORMAT, 0));
