// What `cairn serve` is told: the configuration file, and the flags, which win over it. Data only; what is made of it
// is made elsewhere.

import { dirname, join, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import {
  type ConfigValues,
  type ExportValues,
  parseConfig,
  readConfigFile,
  type SectionValues,
} from './config-file.ts';
import { TOP_KEYS } from './config-keys.ts';
import type { Environment } from './environment.ts';
import { type GrpcSettings, grpcContradictions, grpcSettings } from './grpc-settings.ts';
import { type HostPort, hostPortText, isLoopback } from './host-port.ts';
import { ValueError } from './value-type.ts';

export interface ExportRule {
  /** CIDR, single addresses, or `*`. */
  readonly networks: readonly string[];
  readonly access: 'ro' | 'rw';
  readonly squash: 'none' | 'root' | 'all';
  readonly anonuid: number;
  readonly anongid: number;
  /** Only from source ports below 1024. */
  readonly secure: boolean;
  /** Names, each also for the datasets nested in it; `*` is all, also those made later. */
  readonly datasets: readonly string[];
}

export interface Settings {
  readonly configFile: string | undefined;
  /** Absolute, as all paths here. */
  readonly dataDir: string;
  readonly listen: HostPort;
  readonly portmapListen: HostPort | undefined;
  readonly adminSocket: string;
  readonly grpc: GrpcSettings | undefined;
  readonly httpListen: HostPort | undefined;
  readonly durability: 'strict' | 'relaxed';
  readonly relaxedSyncIntervalMs: number;
  readonly cache: { readonly metadataBytes: number; readonly warmBytes: number };
  readonly dirtyBytesMax: number;
  readonly diskReserveBytes: number;
  readonly autoDetach: boolean;
  readonly limits: { readonly connections: number; readonly callsInFlight: number; readonly idleMs: number };
  readonly log: SectionValues['log'];
  readonly exports: readonly ExportRule[];
  readonly repair: boolean;
}

/** As typed; undefined where not given. */
export interface SettingsFlags {
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly listen?: string | undefined;
  readonly portmapListen?: string | undefined;
  readonly adminSocket?: string | undefined;
  readonly grpcListen?: string | undefined;
  readonly httpListen?: string | undefined;
  readonly durability?: string | undefined;
  readonly insecurePorts?: boolean | undefined;
  readonly repair?: boolean | undefined;
}

/** Of a UNIX socket's path, as the smallest `sun_path` among systems allows, with its NUL. */
export const SOCKET_PATH_BYTES_MAX = 103;

/** Without any rule: programs of this machine, and of those only root's, so that none can speak for another user. */
const LOOPBACK_RULE: ExportRule = {
  networks: ['127.0.0.0/8', '::1'],
  access: 'rw',
  squash: 'none',
  anonuid: 65_534,
  anongid: 65_534,
  secure: true,
  datasets: ['*'],
};

/** @throws ConfigError */
export function loadSettings(
  flags: SettingsFlags,
  environment: Environment,
  workingDirectory: string,
): Settings {
  const configFile = flags.config === undefined ? undefined : resolve(workingDirectory, flags.config);
  const file = configFile ? readConfigFile(configFile, environment) : parseConfig('', 'no file', environment);
  const problems: string[] = [];
  const settings = settingsOf({ flags, file, configFile, workingDirectory, problems });
  problems.push(...contradictions(settings, file));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(settings);
}

interface Sources {
  readonly flags: SettingsFlags;
  readonly file: ConfigValues;
  readonly configFile: string | undefined;
  readonly workingDirectory: string;
  readonly problems: string[];
}

function settingsOf(sources: Sources): Settings {
  const { flags, file, configFile, workingDirectory } = sources;
  const { top, sections } = file;
  // A path in the file is meant from where the file is, so that server and commands agree wherever they are started.
  const fileDirectory = configFile ? dirname(configFile) : workingDirectory;
  const dataDirFlag = pathFlag(sources, '--data-dir', flags.dataDir);
  const socketFlag = pathFlag(sources, '--admin-socket', flags.adminSocket);
  const dataDir = dataDirFlag
    ? resolve(workingDirectory, dataDirFlag)
    : resolve(file.has('data_dir') ? fileDirectory : workingDirectory, top.data_dir);
  const insecurePorts = flags.insecurePorts ?? top.insecure_ports;
  const rules = file.exports.length > 0 ? file.exports.map(ruleOf) : [LOOPBACK_RULE];
  return {
    configFile,
    dataDir,
    listen: flagOr(sources, 'listen', flags.listen, top.listen),
    portmapListen: flagOr(sources, 'portmap_listen', flags.portmapListen, top.portmap_listen),
    adminSocket: socketFlag
      ? resolve(workingDirectory, socketFlag)
      : top.admin_socket
        ? resolve(fileDirectory, top.admin_socket)
        : join(dataDir, 'admin.sock'),
    grpc: grpcOf(sources, fileDirectory),
    httpListen: flagOr(sources, 'http_listen', flags.httpListen, top.http_listen),
    durability: flagOr(sources, 'durability', flags.durability, top.durability),
    relaxedSyncIntervalMs: top.relaxed_sync_interval,
    cache: { metadataBytes: sections.cache.metadata_bytes, warmBytes: sections.cache.warm_bytes },
    dirtyBytesMax: top.dirty_bytes_max,
    diskReserveBytes: top.disk_reserve_bytes,
    autoDetach: top.auto_detach,
    limits: {
      connections: sections.limits.connections,
      callsInFlight: sections.limits.calls_in_flight,
      idleMs: sections.limits.idle,
    },
    log: sections.log,
    exports: rules.map((rule) => ({ ...rule, secure: rule.secure && !insecurePorts })),
    repair: flags.repair ?? false,
  };
}

/** An empty one is most often a variable of the shell that is not set, and does not mean the default. */
function pathFlag({ problems }: Sources, flag: string, typed: string | undefined): string | undefined {
  if (typed === '') problems.push(`${flag} must not be empty`);
  return typed;
}

function flagOr<Name extends keyof typeof TOP_KEYS, T>(
  { problems }: Sources,
  key: Name,
  typed: string | undefined,
  other: T,
): T {
  if (typed === undefined) return other;
  try {
    return TOP_KEYS[key].type.parse(typed) as T;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(`--${key.replaceAll('_', '-')} ${error.message}`);
    return other;
  }
}

function ruleOf({ network, ...rule }: ExportValues): ExportRule {
  return { networks: network, ...rule };
}

function grpcOf(sources: Sources, directory: string): GrpcSettings | undefined {
  const { flags, file, problems } = sources;
  const listen = flagOr(sources, 'grpc_listen', flags.grpcListen, file.top.grpc_listen);
  return listen && grpcSettings({ listen, section: file.sections.grpc, directory }, problems);
}

function contradictions(settings: Settings, file: ConfigValues): string[] {
  const found: string[] = [];
  const { listen, httpListen, adminSocket } = settings;
  if (!isLoopback(listen) && file.exports.length === 0) {
    found.push(
      `Other machines can reach ${hostPortText(listen)}, but no [[export]] rule says which of them may use what: ` +
        'add one to the configuration file (config.example.toml shows how), or listen on 127.0.0.1',
    );
  }
  found.push(...grpcContradictions(file.sections.grpc));
  if (httpListen && !isLoopback(httpListen)) {
    found.push(
      `Other machines can reach ${hostPortText(httpListen)}: http_listen has neither TLS nor a password, so it must ` +
        'be on 127.0.0.1 or [::1]',
    );
  }
  if (Buffer.byteLength(adminSocket) > SOCKET_PATH_BYTES_MAX) {
    found.push(
      `The path of the admin socket, ${adminSocket}, has ${Buffer.byteLength(adminSocket)} bytes, and systems allow ` +
        `${SOCKET_PATH_BYTES_MAX}: choose a shorter one with --admin-socket`,
    );
  }
  return found;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)) deepFreeze(inner);
  }
  return Object.freeze(value);
}
