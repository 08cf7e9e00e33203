// The server's log, on stdout: for people on a terminal, one JSON object a line otherwise. It is written as it happens,
// so that the last lines before a crash are there.

import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from './config/settings.ts';

export interface LogOutput {
  /** 1 is stdout. */
  readonly descriptor: number;
  readonly isTerminal: boolean;
}

export function createLog({ level, format }: Settings['log'], { descriptor, isTerminal }: LogOutput): Logger {
  const forPeople = format === 'pretty' || (format === 'auto' && isTerminal);
  if (forPeople) {
    const stream = pretty({
      destination: descriptor,
      sync: true,
      colorize: isTerminal,
      translateTime: 'SYS:HH:MM:ss',
      ignore: 'pid,hostname',
      // What a sentence says already is not repeated below it.
      hideObject: !['debug', 'trace'].includes(level),
    });
    return pino({ level }, stream);
  }
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: descriptor, sync: true }),
  );
}
