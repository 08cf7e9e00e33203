// Networks of export rules: an address or, in CIDR notation, all that begin with its first bits.

import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type ValueType, wrong } from './value-type.ts';

export const network: ValueType<string> = {
  parse(raw) {
    if (typeof raw !== 'string' || !isNetwork(raw)) {
      throw wrong('a network such as "192.168.1.0/24", "fd00::/8", "10.0.0.7" or "*"', raw);
    }
    return raw;
  },
  print: (value) => JSON.stringify(value),
};

function isNetwork(typed: string): boolean {
  if (typed === '*') return true;
  const [address, bits, more] = typed.split('/');
  if (!address || more !== undefined || isIP(address) === 0 || address.includes('%')) return false;
  if (bits === undefined) return true;
  const bitsMax = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax;
}
