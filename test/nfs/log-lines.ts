// A log that keeps what it was told.

import type { RpcLog } from '../../src/nfs/rpc/log.ts';

export interface LogLines extends RpcLog {
  /** From `warn` up. */
  readonly lines: string[];
}

export function logLines(): LogLines {
  const lines: string[] = [];
  const keep = (_: object, message: string) => {
    lines.push(message);
  };
  return { lines, debug() {}, info() {}, warn: keep, error: keep };
}
