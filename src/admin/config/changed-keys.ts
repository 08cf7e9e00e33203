// Which keys are not what the server was started with. Only the export rules are read again while it runs, so whoever has
// changed another would wait for it in vain.

import { isDeepStrictEqual } from 'node:util';
import type { SECTIONS, TOP_KEYS } from './config-keys.ts';
import type { Settings } from './settings.ts';

type Section<S extends keyof typeof SECTIONS> = S extends unknown
  ? `[${S}] ${keyof (typeof SECTIONS)[S] & string}`
  : never;

/** `insecure_ports` is part of the export rules, and of `[grpc]` two keys each say the same. */
type KeyName =
  | Exclude<keyof typeof TOP_KEYS, 'insecure_ports'>
  | Section<'cache' | 'limits' | 'log'>
  | '[grpc] tls_cert or tls_key'
  | '[grpc] token or token_file';

/** As the file names them, all but `[[export]]`. */
const KEYS: Readonly<Record<KeyName, (settings: Settings) => unknown>> = {
  data_dir: (settings) => settings.dataDir,
  listen: (settings) => settings.listen,
  portmap_listen: (settings) => settings.portmapListen,
  admin_socket: (settings) => settings.adminSocket,
  grpc_listen: (settings) => settings.grpc?.listen,
  http_listen: (settings) => settings.httpListen,
  durability: (settings) => settings.durability,
  relaxed_sync_interval: (settings) => settings.relaxedSyncIntervalMs,
  dirty_bytes_max: (settings) => settings.dirtyBytesMax,
  disk_reserve_bytes: (settings) => settings.diskReserveBytes,
  auto_detach: (settings) => settings.autoDetach,
  '[cache] metadata_bytes': (settings) => settings.cache.metadataBytes,
  '[cache] warm_bytes': (settings) => settings.cache.warmBytes,
  '[limits] connections': (settings) => settings.limits.connections,
  '[limits] calls_in_flight': (settings) => settings.limits.callsInFlight,
  '[limits] idle': (settings) => settings.limits.idleMs,
  '[log] level': (settings) => settings.log.level,
  '[log] format': (settings) => settings.log.format,
  '[grpc] tls_cert or tls_key': (settings) => settings.grpc?.tls,
  '[grpc] token or token_file': (settings) => settings.grpc?.token,
};

export function changedKeys(before: Settings, after: Settings): string[] {
  return Object.entries(KEYS).flatMap(([name, valueIn]) =>
    isDeepStrictEqual(valueIn(before), valueIn(after)) ? [] : [name],
  );
}

/** Undefined where there is nothing to say. */
export function restartText(keys: readonly string[]): string | undefined {
  if (keys.length === 0) return undefined;
  return `Only the export rules were read again; what else has changed needs a restart: ${keys.join(', ')}`;
}
