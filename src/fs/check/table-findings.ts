// What LevelDB's own checksums say of its tables, in words.

import { checkTables, type TableFinding } from '../../kv/level/level-files.ts';
import type { Finding } from './finding.ts';
import { describeKeys, ownerOfKeys } from './key-text.ts';

export async function* tableFindings(metaPath: string): AsyncGenerator<Finding> {
  for await (const damage of checkTables(metaPath)) if (damage) yield tableFinding(damage);
}

export function tableFinding({ file, offset, what, after, upTo }: TableFinding): Finding {
  const hurt = upTo ? `: ${describeKeys(after, upTo)}` : '';
  // A footer has no checksum, and is missing where the table ends early.
  const problem = what === 'footer' ? 'is damaged or missing' : 'fails its checksum';
  const message = `The ${what} at byte ${offset} of LevelDB's table ${file} ${problem}${hurt}`;
  return { kind: 'database', ...ownerOfKeys(after, upTo), message, repair: null };
}
