// Says in the log whom the exports refuse, and what would let them in. A client that is refused tries again and again:
// each address is named once a minute for each reason, and all of them together at most REFUSALS_MAX times a minute.

import type { Clock } from '../clock.ts';
import { RareLines } from '../rare-lines.ts';
import type { Peer } from './rpc/call.ts';
import type { RpcLog } from './rpc/log.ts';

export const REFUSAL_INTERVAL_MS = 60_000;
export const REFUSALS_MAX = 1024;

export class RefusalLog {
  private readonly log: RpcLog;
  /** By address and reason. */
  private readonly lines: RareLines<string>;

  constructor(log: RpcLog, clock: Clock) {
    this.log = log;
    this.lines = new RareLines({ clock, intervalMs: REFUSAL_INTERVAL_MS, subjectsMax: REFUSALS_MAX });
  }

  noRule(peer: Peer, dataset: string): void {
    this.say(peer, dataset, 'no export rule has its address');
  }

  noDataset(peer: Peer, dataset: string): void {
    this.say(peer, dataset, 'the export rules that have its address do not have this dataset');
  }

  insecurePort(peer: Peer, dataset: string): void {
    this.say(
      peer,
      dataset,
      'its source port is not below 1024; --insecure-ports, or secure = false in the export, allows any',
    );
  }

  /** The rules are others now: whoever is still refused is worth a line. */
  clear(): void {
    this.lines.clear();
  }

  private say({ address, port }: Peer, dataset: string, reason: string): void {
    if (this.lines.due(`${address} ${reason}`) === undefined) return;
    this.log.warn({ client: address, port, dataset }, `Refused ${dataset} to ${address}: ${reason}`);
  }
}
