// Which keys are not what the server was started with. Only the export rules are read again while it runs, so whoever has
// changed another would wait for it in vain.

import { isDeepStrictEqual } from 'node:util';
import type { Settings } from './settings.ts';

/** As the file names them; all but `[[export]]`, and `insecure_ports`, which is part of its rules. */
const KEYS: Readonly<Record<string, (settings: Settings) => unknown>> = {
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
  return Object.keys(KEYS).filter((name) => !isDeepStrictEqual(KEYS[name]!(before), KEYS[name]!(after)));
}

/** Undefined where there is nothing to say. */
export function restartText(keys: readonly string[]): string | undefined {
  if (keys.length === 0) return undefined;
  return `Only the export rules were read again; what else has changed needs a restart: ${keys.join(', ')}`;
}
