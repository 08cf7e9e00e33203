// One rule of the exports: whom it is for, and what it makes of them. Addresses and names are matched here, in which
// order the rules are asked and what is remembered stands in exports.ts.

import { BlockList, isIPv4 } from 'node:net';
import type { Caller } from '../fs/file-system.ts';
import { AUTH_NONE, type Credential, NO_ID } from './rpc/credential.ts';
import { plainAddress } from './rpc/endpoint.ts';

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

const MAPPED_PREFIX = '::ffff:';

export class CompiledRule {
  readonly rule: ExportRule;
  readonly access: ExportAccess;
  private readonly everywhere: boolean;
  /** Apart, because BlockList takes IPv4 for a part of IPv6: `::/0` would let every IPv4 address in. */
  private readonly networks4 = new BlockList();
  private readonly networks6 = new BlockList();

  /** @throws TypeError, RangeError when a network is none */
  constructor(rule: ExportRule) {
    this.rule = rule;
    this.access = accessOf(rule);
    this.everywhere = rule.networks.includes('*');
    for (const network of rule.networks) if (network !== '*') this.addNetwork(network);
  }

  holdsAddress(address: string): boolean {
    if (this.everywhere) return true;
    const plain = plainAddress(address);
    return isIPv4(plain) ? this.networks4.check(plain, 'ipv4') : this.networks6.check(plain, 'ipv6');
  }

  holdsDataset(name: string): boolean {
    return this.rule.datasets.some((one) => one === '*' || one === name || name.startsWith(`${one}/`));
  }

  private addNetwork(network: string): void {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    const isMapped = address.toLowerCase().startsWith(MAPPED_PREFIX);
    const networks = family === 'ipv4' || isMapped ? this.networks4 : this.networks6;
    if (bits === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(bits), family);
  }
}

function accessOf({ access, squash, anonuid, anongid }: ExportRule): ExportAccess {
  const nobody: Caller = { uid: anonuid, gid: anongid, groups: [] };
  const callers = new WeakMap<Credential, Caller>();
  // "-1" is nobody too, as with the Linux server, and not refused: there are clients that send it for their nobody.
  const isSquashed = (id: number): boolean => id === NO_ID || (id === 0 && squash === 'root');
  const groupOf = (gid: number): number => (isSquashed(gid) ? anongid : gid);
  const callerOf = ({ flavor, uid, gid, groups }: Credential): Caller => {
    if (squash === 'all' || flavor === AUTH_NONE) return nobody;
    return { uid: isSquashed(uid) ? anonuid : uid, gid: groupOf(gid), groups: groups.map(groupOf) };
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
