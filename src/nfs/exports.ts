// Who may do what, by network: asked on every call, so that a reload takes effect without a remount. The first rule
// whose networks hold the address and whose datasets hold the name decides.

import type { Clock } from '../clock.ts';
import { CompiledRule, type ExportAccess, type ExportRule } from './export-rule.ts';
import { RefusalLog } from './refusal-log.ts';
import type { Peer } from './rpc/call.ts';
import type { RpcLog } from './rpc/log.ts';

const PRIVILEGED_PORTS_END = 1024;
/** Grants remembered for one connection; names come and go as datasets are renamed. */
const GRANTS_MAX = 1024;

/** By dataset name. */
type Grants = Map<string, ExportAccess>;

export class Exports {
  private rules: readonly CompiledRule[];
  private readonly refusals: RefusalLog;
  /** By connection: to look up a text made of address, port and name would cost ten times as much on every call. */
  private grants = new WeakMap<Peer, Grants>();

  constructor(rules: readonly ExportRule[], { log, clock }: { readonly log: RpcLog; readonly clock: Clock }) {
    this.rules = rules.map((rule) => new CompiledRule(rule));
    this.refusals = new RefusalLog(log, clock);
  }

  /** From the next call on these count; a rule that cannot be used throws, and then the old ones stay. */
  reload(rules: readonly ExportRule[]): void {
    this.rules = rules.map((rule) => new CompiledRule(rule));
    this.grants = new WeakMap();
    this.refusals.clear();
  }

  list(): readonly ExportRule[] {
    return this.rules.map(({ rule }) => rule);
  }

  /** What the peer may do with a dataset; undefined when it is not exported to it, which is logged with the reason. */
  check(peer: Peer, dataset: string): ExportAccess | undefined {
    return this.grants.get(peer)?.get(dataset) ?? this.decide(peer, dataset);
  }

  /** The networks of the rule by which the address sees a dataset; undefined when it sees it not. */
  shownTo(address: string, dataset: string): readonly string[] | undefined {
    return this.ruleFor(address, dataset)?.rule.networks;
  }

  private decide(peer: Peer, dataset: string): ExportAccess | undefined {
    const found = this.ruleFor(peer.address, dataset);
    if (!found) {
      if (this.rules.some((rule) => rule.holdsAddress(peer.address))) this.refusals.noDataset(peer, dataset);
      else this.refusals.noRule(peer, dataset);
      return undefined;
    }
    if (found.rule.secure && peer.port >= PRIVILEGED_PORTS_END) {
      this.refusals.insecurePort(peer, dataset);
      return undefined;
    }
    this.grant(peer, dataset, found.access);
    return found.access;
  }

  private grant(peer: Peer, dataset: string, access: ExportAccess): void {
    let grants = this.grants.get(peer);
    if (!grants || grants.size >= GRANTS_MAX) {
      grants = new Map();
      this.grants.set(peer, grants);
    }
    grants.set(dataset, access);
  }

  private ruleFor(address: string, dataset: string): CompiledRule | undefined {
    return this.rules.find((rule) => rule.holdsDataset(dataset) && rule.holdsAddress(address));
  }
}
