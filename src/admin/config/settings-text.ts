// The settings as a configuration file would say them: what `cairn config check` prints.

import { EXPORT_KEYS, type Key, SECTIONS, TOP_KEYS } from './config-keys.ts';
import type { ExportRule, Settings } from './settings.ts';

export function settingsText(settings: Settings): string {
  const { grpc, cache, limits, log } = settings;
  const lines = [
    line('data_dir', TOP_KEYS.data_dir, settings.dataDir),
    line('listen', TOP_KEYS.listen, settings.listen),
    line('portmap_listen', TOP_KEYS.portmap_listen, settings.portmapListen),
    line('admin_socket', TOP_KEYS.admin_socket, settings.adminSocket),
    line('grpc_listen', TOP_KEYS.grpc_listen, grpc?.listen),
    line('http_listen', TOP_KEYS.http_listen, settings.httpListen),
    line('durability', TOP_KEYS.durability, settings.durability),
    line('relaxed_sync_interval', TOP_KEYS.relaxed_sync_interval, settings.relaxedSyncIntervalMs),
    line('dirty_bytes_max', TOP_KEYS.dirty_bytes_max, settings.dirtyBytesMax),
    line('disk_reserve_bytes', TOP_KEYS.disk_reserve_bytes, settings.diskReserveBytes),
    line('auto_detach', TOP_KEYS.auto_detach, settings.autoDetach),
    '',
    '[cache]',
    line('metadata_bytes', SECTIONS.cache.metadata_bytes, cache.metadataBytes),
    line('warm_bytes', SECTIONS.cache.warm_bytes, cache.warmBytes),
    '',
    '[limits]',
    line('connections', SECTIONS.limits.connections, limits.connections),
    line('calls_in_flight', SECTIONS.limits.calls_in_flight, limits.callsInFlight),
    line('idle', SECTIONS.limits.idle, limits.idleMs),
    '',
    '[log]',
    line('level', SECTIONS.log.level, log.level),
    line('format', SECTIONS.log.format, log.format),
    ...(grpc ? ['', '[grpc]', `# tls: ${grpc.tls ? 'yes' : 'no'}, token: ${grpc.token ? 'yes' : 'no'}`] : []),
    ...settings.exports.flatMap(ruleLines),
  ];
  return `${lines.filter((each) => each !== undefined).join('\n')}\n`;
}

function ruleLines(rule: ExportRule): (string | undefined)[] {
  return [
    '',
    '[[export]]',
    line('network', EXPORT_KEYS.network, rule.networks),
    line('access', EXPORT_KEYS.access, rule.access),
    line('squash', EXPORT_KEYS.squash, rule.squash),
    line('anonuid', EXPORT_KEYS.anonuid, rule.anonuid),
    line('anongid', EXPORT_KEYS.anongid, rule.anongid),
    line('secure', EXPORT_KEYS.secure, rule.secure),
    line('datasets', EXPORT_KEYS.datasets, rule.datasets),
  ];
}

function line<T>(name: string, { type }: Key<T>, value: T | undefined): string | undefined {
  return value === undefined ? undefined : `${name} = ${type.print(value)}`;
}
