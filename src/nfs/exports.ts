// Who may do what, by network: asked on every call, so that a reload takes effect without a remount. The first rule
// whose networks hold the address and whose datasets hold the name decides.

import { BlockList, isIPv6 } from 'node:net';
import type { Caller } from '../fs/file-system.ts';
import type { Peer } from './rpc/call.ts';
import type { Credential } from './rpc/credential.ts';
import type { RpcLog } from './rpc/log.ts';

export interface ExportRule {
  /** CIDR, single addresses, or `*`. */
  readonly networks: readonly string[];
  readonly access: 'ro' | 'rw';
  readonly squash: 'none' | 'root' | 'all';
  readonly anonuid: number;
  readonly anongid: number;
  /** Only from source ports below 1024. */
  readonly secure: boolean;
  /** Names, each also for the datasets nested in it; `*` is all. */
  readonly datasets: readonly string[];
}

/** What one rule grants. */
export interface ExportAccess {
  readonly readOnly: boolean;
  /** Who a credential stands for here. */
  caller(credential: Credential): Caller;
}

const PRIVILEGED_PORTS_END = 1024;
/** Decisions kept: one for each address, kind of port and dataset that was asked for lately. */
const DECISIONS_MAX = 4096;
/** Addresses whose refusals were logged; each is logged once until so many others were. */
const LOGGED_MAX = 1024;

interface Rule {
  readonly rule: ExportRule;
  readonly addresses: BlockList | null;
  readonly access: ExportAccess;
}

export class Exports {
  private rules: readonly Rule[];
  private readonly log: RpcLog;
  private readonly decisions = new Map<string, ExportAccess | undefined>();
  private readonly logged = new Set<string>();

  constructor(rules: readonly ExportRule[], log: RpcLog) {
    this.rules = rules.map(compiled);
    this.log = log;
  }

  /** From the next call on these count. */
  reload(rules: readonly ExportRule[]): void {
    this.rules = rules.map(compiled);
    this.decisions.clear();
    this.logged.clear();
  }

  list(): readonly ExportRule[] {
    return this.rules.map(({ rule }) => rule);
  }

  /** What the peer may do with a dataset; undefined when it is not exported to it, which is logged with the reason. */
  check(peer: Peer, dataset: string): ExportAccess | undefined {
    const privileged = peer.port < PRIVILEGED_PORTS_END;
    const key = `${privileged ? 's' : 'i'}${peer.address} ${dataset}`;
    const known = this.decisions.get(key);
    if (known) return known;
    const found = this.ruleFor(peer.address, dataset);
    if (!found || (found.rule.secure && !privileged)) {
      this.refused(peer, dataset, found);
      return undefined;
    }
    if (this.decisions.size >= DECISIONS_MAX) this.decisions.clear();
    this.decisions.set(key, found.access);
    return found.access;
  }

  /** The networks of the rule by which the address sees a dataset; undefined when it sees it not. */
  shownTo(address: string, dataset: string): readonly string[] | undefined {
    return this.ruleFor(address, dataset)?.rule.networks;
  }

  private ruleFor(address: string, dataset: string): Rule | undefined {
    return this.rules.find(
      ({ rule, addresses }) => holdsAddress(addresses, address) && holdsDataset(rule, dataset),
    );
  }

  private refused({ address, port }: Peer, dataset: string, found: Rule | undefined): void {
    const key = `${address} ${found ? 'port' : dataset}`;
    if (this.logged.has(key)) return;
    if (this.logged.size >= LOGGED_MAX) this.logged.clear();
    this.logged.add(key);
    const reason = found
      ? `its source port ${port} is not below 1024; --insecure-ports, or secure = false in the export, allows any`
      : 'no export rule has its address';
    this.log.warn({ client: address, port, dataset }, `Refused ${dataset} to ${address}: ${reason}`);
  }
}

function compiled(rule: ExportRule): Rule {
  const addresses = rule.networks.includes('*') ? null : new BlockList();
  for (const network of rule.networks) if (addresses) addNetwork(addresses, network);
  return { rule, addresses, access: accessOf(rule) };
}

function addNetwork(addresses: BlockList, network: string): void {
  const [address = '', bits] = network.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (bits === undefined) addresses.addAddress(address, family);
  else addresses.addSubnet(address, Number(bits), family);
}

function holdsAddress(addresses: BlockList | null, address: string): boolean {
  return addresses === null || addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function holdsDataset({ datasets }: ExportRule, name: string): boolean {
  return datasets.some((one) => one === '*' || one === name || name.startsWith(`${one}/`));
}

function accessOf({ access, squash, anonuid, anongid }: ExportRule): ExportAccess {
  const nobody: Caller = { uid: anonuid, gid: anongid, groups: [] };
  const callers = new WeakMap<Credential, Caller>();
  const squashed = ({ uid, gid, groups }: Credential): Caller => ({
    uid: uid === 0 ? anonuid : uid,
    gid: gid === 0 ? anongid : gid,
    groups: groups.map((group) => (group === 0 ? anongid : group)),
  });
  const callerOf = (credential: Credential): Caller => {
    if (squash === 'all' || credential.flavor === 0) return nobody;
    return squash === 'root' ? squashed(credential) : credential;
  };
  return {
    readOnly: access === 'ro',
    caller(credential) {
      let caller = callers.get(credential);
      if (!caller) {
        caller = callerOf(credential);
        callers.set(credential, caller);
      }
      return caller;
    },
  };
}
