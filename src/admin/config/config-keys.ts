// Every key of the configuration file, its type and its default; config.example.toml explains them one by one.

import { exportedDataset } from './exported-dataset.ts';
import { network } from './network.ts';
import {
  boolean,
  duration,
  hostPort,
  listOf,
  oneOf,
  secret,
  size,
  text,
  type ValueType,
  wholeNumber,
} from './value-type.ts';

export interface Key<T> {
  readonly type: ValueType<T>;
  readonly byDefault: T | undefined;
  readonly required: boolean;
}

export type Keys = Readonly<Record<string, Key<unknown>>>;

export type ValuesOf<K extends Keys> = {
  readonly [Name in keyof K]: K[Name] extends OptionalKey<infer T>
    ? T | undefined
    : K[Name] extends Key<infer T>
      ? T
      : never;
};

/** Without a value unless one is given. */
interface OptionalKey<T> extends Key<T> {
  readonly optional: true;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
// The last one is chown's "as it is".
const ID = wholeNumber({ min: 0, max: 0xffff_fffe });
const NOBODY = 65_534;

/** Those of no section, which come first in the file. */
export const TOP_KEYS = {
  data_dir: key(text, './data'),
  listen: key(hostPort, { host: '127.0.0.1', port: 2049 }),
  portmap_listen: optional(hostPort),
  admin_socket: optional(text),
  grpc_listen: optional(hostPort),
  http_listen: optional(hostPort),
  durability: key(oneOf('strict', 'relaxed'), 'strict'),
  relaxed_sync_interval: key(duration({ minMs: 1, maxMs: 60_000 }), 1000),
  dirty_bytes_max: key(size({ min: 8 * MIB }), 128 * MIB),
  disk_reserve_bytes: key(size({ min: 1 * MIB }), 64 * MIB),
  auto_detach: key(boolean, true),
  insecure_ports: key(boolean, false),
} as const satisfies Keys;

export const SECTIONS = {
  cache: {
    metadata_bytes: key(size({ min: 4 * MIB }), 64 * MIB),
    warm_bytes: key(size({ min: 0 }), 1 * GIB),
  },
  limits: {
    connections: key(wholeNumber({ min: 1, max: 65_536 }), 4096),
    calls_in_flight: key(wholeNumber({ min: 1, max: 65_536 }), 256),
    idle: key(duration({ minMs: 1000, maxMs: 24 * 3_600_000 }), 10 * 60_000),
  },
  log: {
    level: key(oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'), 'info'),
    format: key(oneOf('auto', 'pretty', 'json'), 'auto'),
  },
  grpc: {
    tls_cert: optional(text),
    tls_key: optional(text),
    token: optional(secret),
    token_file: optional(text),
  },
} as const satisfies Record<string, Keys>;

/** Those of each `[[export]]`. */
export const EXPORT_KEYS = {
  network: required(oneOrMore(network)),
  access: key(oneOf('ro', 'rw'), 'rw'),
  squash: key(oneOf('none', 'root', 'all'), 'root'),
  anonuid: key(ID, NOBODY),
  anongid: key(ID, NOBODY),
  secure: key(boolean, true),
  datasets: key(oneOrMore(exportedDataset), ['*']),
} as const satisfies Keys;

function key<T>(type: ValueType<T>, byDefault: T): Key<T> {
  return { type, byDefault, required: false };
}

function optional<T>(type: ValueType<T>): OptionalKey<T> {
  return { type, byDefault: undefined, required: false, optional: true };
}

function required<T>(type: ValueType<T>): Key<T> {
  return { type, byDefault: undefined, required: true };
}

function oneOrMore<T>(type: ValueType<T>): ValueType<readonly T[]> {
  const list = listOf(type);
  return {
    parse: (raw) => (Array.isArray(raw) ? list.parse(raw) : [type.parse(raw)]),
    print: (values) => (values.length === 1 ? type.print(values[0]!) : list.print(values)),
  };
}
