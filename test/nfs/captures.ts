// Calls recorded from real clients: captures/*.hex, a line each: program, procedure, and the record with its mark.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Captured {
  readonly program: 'NFS' | 'MOUNT';
  readonly procedure: string;
  /** With its mark, as it was sent. */
  readonly record: Buffer;
}

/** Every call of `captures/<client>.hex`. */
export function capturesOf(client: string): Captured[] {
  const text = readFileSync(join(import.meta.dirname, 'captures', `${client}.hex`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [program, procedure, hex] = line.split(' ');
      return {
        program: program as Captured['program'],
        procedure: procedure!,
        record: Buffer.from(hex!, 'hex'),
      };
    });
}
