// Where a server listens, as people type it: `127.0.0.1:2049`, `[::1]:2049`, `localhost:2049`.

import { BlockList, isIP, isIPv6 } from 'node:net';

export interface HostPort {
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
}

/** Undefined when `text` is no `HOST:PORT`. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) return undefined;
  return { host: (bracketed ?? plain)!, port };
}

export function hostPortText({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether only programs of this machine can reach it; of names, only `localhost` is known to be so. */
export function isLoopback({ host }: HostPort): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
