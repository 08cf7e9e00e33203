// The table of the isolation matrix, which two players play: raw calls (isolation.test.ts, in `npm test`) and programs over
// a kernel client (test/snapshots/kernel, in `npm run test:snapshots`).

import { readFileSync } from 'node:fs';

/** What is made of the dataset `data`; then one side is changed and the others are watched. */
export interface Relation {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Paths of mounts. */
  readonly changed: string;
  readonly watched: readonly string[];
}

/** A rollback keeps no snapshot of what was there before. */
export type Step =
  | readonly ['snapshot', snapshot: string]
  | readonly ['clone', snapshot: string, name: string]
  | readonly ['rollback', snapshot: string];

interface Table {
  /** Directories from the root down. */
  readonly places: readonly (readonly string[])[];
  readonly states: readonly string[];
  readonly procedures: readonly string[];
  readonly kinds: readonly string[];
  readonly relations: readonly Relation[];
}

export const TABLE: Table = JSON.parse(readFileSync(new URL('table.json', import.meta.url), 'utf8'));
