// Makes the golden data directory of the present format: run it once for a new format, never again for an old one.
//
//   node --experimental-strip-types test/golden/make.ts test/golden/format-1        (Node 22 or later)

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Handles } from '../../src/nfs/handle.ts';
import { makeContent, makePassing, seenOf } from './content.ts';
import { openGolden } from './open-golden.ts';

const directory = process.argv[2]!;
const made = await openGolden(join(directory, 'volume'), undefined, false, false);
await makeContent(made.volume);
await makePassing(made.volume);
const seen = await seenOf(made.volume, new Handles(made.volume.format));
await made.close();
writeFileSync(join(directory, 'seen.json'), `${JSON.stringify(seen, null, 1)}\n`);
