// Where a server listens, and what to say when it cannot.

import { isIPv6 } from 'node:net';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with the brackets of IPv6. */
export function endpointText({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A peer's address; IPv4 in its own notation also where an IPv6 socket shows it mapped. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/** The endpoint cannot be had; `code` is the system's. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor({ host, port }: Endpoint, cause: NodeJS.ErrnoException) {
    super(`Cannot listen on ${endpointText({ host, port })}: ${REASONS[cause.code ?? ''] ?? cause.message}`, {
      cause,
    });
    this.code = cause.code ?? 'UNKNOWN';
    this.host = host;
    this.port = port;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken by another program',
  EADDRNOTAVAIL: 'the address is not of this machine',
  EACCES: 'ports below 1024 need privileges',
};
