// What [grpc] says, with the files that it names: read and looked at, so that what cannot be used is told by `cairn
// config check` and not by the library of TLS when the server starts.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SectionValues } from './config-file.ts';
import { type HostPort, hostPortText, isLoopback } from './host-port.ts';
import { unreadable } from './unreadable.ts';

export interface GrpcSettings {
  readonly listen: HostPort;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly token: string | undefined;
}

export const TOKEN_CHARACTERS_MIN = 16;

export interface GrpcSources {
  readonly listen: HostPort;
  readonly section: SectionValues['grpc'];
  /** Where paths are meant from. */
  readonly directory: string;
}

/** @param problems gets a sentence for each thing that is wrong */
export function grpcSettings(sources: GrpcSources, problems: string[]): GrpcSettings {
  const { listen, section } = sources;
  const { tls_cert, tls_key, token, token_file } = section;
  if (!isLoopback(listen) && !(tls_cert && tls_key && (token ?? token_file))) {
    problems.push(
      `Other machines can reach ${hostPortText(listen)}: grpc_listen beyond 127.0.0.1 needs tls_cert, tls_key ` +
        'and a token (or token_file) in [grpc]',
    );
  }
  const files = new GrpcFiles(sources, problems);
  return { listen, tls: files.tls(), token: files.token() };
}

/** What is wrong with the keys themselves, whether they are used or not. */
export function grpcContradictions({
  tls_cert,
  tls_key,
  token,
  token_file,
}: SectionValues['grpc']): string[] {
  const found: string[] = [];
  if ((tls_cert === undefined) !== (tls_key === undefined)) {
    found.push('[grpc] needs tls_cert and tls_key together: a certificate is of no use without its key');
  }
  if (token !== undefined && token_file !== undefined) {
    found.push('[grpc] has a token and a token_file: leave one of them out');
  }
  return found;
}

class GrpcFiles {
  readonly #section: SectionValues['grpc'];
  readonly #directory: string;
  readonly #problems: string[];

  constructor({ section, directory }: GrpcSources, problems: string[]) {
    this.#section = section;
    this.#directory = directory;
    this.#problems = problems;
  }

  tls(): GrpcSettings['tls'] {
    const [cert, key] = [this.#read('tls_cert'), this.#read('tls_key')];
    const certificate = cert && this.#parsed('tls_cert', 'certificate', () => parseCertificate(cert));
    const privateKey =
      key && this.#parsed('tls_key', 'private key without a passphrase', () => createPrivateKey(key));
    if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
      this.#problems.push(
        `tls_key in [grpc]: ${this.#path('tls_key')} is not the key of the certificate in tls_cert`,
      );
    }
    return cert && key && { cert, key };
  }

  token(): string | undefined {
    const token = this.#section.token ?? this.#read('token_file')?.toString('utf8').trim();
    if (token !== undefined && token.length < TOKEN_CHARACTERS_MIN) {
      this.#problems.push(`The token in [grpc] must have at least ${TOKEN_CHARACTERS_MIN} characters`);
    }
    return token;
  }

  #path(key: 'tls_cert' | 'tls_key' | 'token_file'): string {
    return resolve(this.#directory, this.#section[key]!);
  }

  #read(key: 'tls_cert' | 'tls_key' | 'token_file'): Buffer | undefined {
    if (this.#section[key] === undefined) return undefined;
    try {
      return readFileSync(this.#path(key));
    } catch (error) {
      this.#problems.push(`Cannot read ${key} in [grpc], ${this.#path(key)}: ${unreadable(error)}`);
      return undefined;
    }
  }

  #parsed<T>(key: 'tls_cert' | 'tls_key', what: string, parse: () => T): T | undefined {
    try {
      return parse();
    } catch {
      this.#problems.push(`${key} in [grpc]: ${this.#path(key)} is no PEM ${what}`);
      return undefined;
    }
  }
}

/** Node takes DER here as well, and TLS does not. */
function parseCertificate(bytes: Buffer): X509Certificate {
  if (!bytes.includes('-----BEGIN')) throw new Error('no PEM');
  return new X509Certificate(bytes);
}
