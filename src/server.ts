// The server: a volume from a data directory, NFS in front of it, and the administration beside both.

import { hostname } from 'node:os';
import type { AdminLog } from './admin/admin-log.ts';
import { announce } from './admin/announce.ts';
import type { RunningServer, ServerStart } from './admin/cli/cli-io.ts';
import { changedKeys, restartText } from './admin/config/changed-keys.ts';
import { hostPortText } from './admin/config/host-port.ts';
import type { Settings } from './admin/config/settings.ts';
import { type AdminServer, startAdminServer } from './admin/grpc/grpc-server.ts';
import { type HttpServer, startHttpServer } from './admin/http/http-server.ts';
import type { MetricsSource } from './admin/http/metrics-source.ts';
import type { CheckEvent, CheckOptions, ManagedServer } from './admin/managed-server.ts';
import { listenError, StartError } from './admin/start-error.ts';
import { systemClock, systemRandom } from './clock.ts';
import { checkVolume } from './datasets/check/check-volume.ts';
import { DatasetError } from './datasets/datasets.ts';
import { noRoomText } from './datasets/no-room.ts';
import { tableFinding, tableFindings } from './fs/check/table-findings.ts';
import { DamageError } from './fs/versioned-value.ts';
import { type DataDirectory, metaPathIn, openDataDirectory } from './kv/data-directory.ts';
import { MetaReadError, MetaWriteError } from './kv/meta-store.ts';
import { VolumeError } from './kv/volume-error.ts';
import { lentBuffers } from './lent-buffers.ts';
import { NfsServer } from './nfs/nfs-server.ts';
import { ListenError } from './nfs/rpc/endpoint.ts';
import { statusName } from './nfs/status.ts';
import type { DiffRequest } from './snapshots/diff/diffs.ts';
import { openVolume, type Volume, type VolumeParts } from './volume.ts';

/** Of the bytes for metadata: half are LevelDB's blocks, half decoded records. */
const LEVEL_SHARE = 0.5;

export async function runServer(start: ServerStart): Promise<RunningServer> {
  const server = new Server(start);
  try {
    await server.start();
  } catch (error) {
    await server.close(0).catch(() => {});
    throw startErrorOf(error, start.settings);
  }
  return server;
}

class Server implements RunningServer, ManagedServer {
  private readonly options: ServerStart;
  private readonly startedMs = systemClock.elapsedMs();
  private directory: DataDirectory | undefined;
  private volume: Volume | undefined;
  private nfs: NfsServer | undefined;
  private admin: AdminServer | undefined;
  private http: HttpServer | undefined;
  private closing = false;

  constructor(options: ServerStart) {
    this.options = options;
  }

  async start(): Promise<void> {
    const { settings, log } = this.options;
    // In `relaxed` nobody waits for most of the batches.
    const isThreadFree = () => settings.durability === 'strict' && (this.nfs?.hasSoleWaiter ?? false);
    this.directory = await openStores(settings, isThreadFree);
    logDamage(this.directory, log);
    const { format } = this.directory;
    lentBuffers.freeBytesMax = settings.dirtyBytesMax;
    this.volume = await openVolume(volumeParts(this.directory, settings, log));
    const { datasets, snapshots } = this.volume;
    const { connections, callsInFlight, idleMs } = settings.limits;
    this.nfs = await NfsServer.listen({
      datasets,
      snapshots,
      exports: settings.exports,
      volume: format,
      replies: await this.volume.replies(),
      listen: settings.listen,
      portmapListen: settings.portmapListen,
      limits: { connectionsMax: connections, callsInFlightMax: callsInFlight, idleMs },
      log,
      clock: systemClock,
    });
    this.admin = await startAdminServer({
      server: this,
      log,
      clock: systemClock,
      socket: settings.adminSocket,
      tcp: settings.grpc,
    });
    const { httpListen } = settings;
    if (httpListen) {
      this.http = await startHttpServer({ listen: httpListen, metrics: this.metrics(), log });
    }
  }

  announce(): void {
    const { settings, log, version } = this.options;
    const { format, datasets, writeBack } = this.volume!;
    announce(
      {
        settings,
        version,
        volumeUuid: uuidText(format.uuid),
        nfs: this.nfs!.endpoint,
        portmap: settings.portmapListen,
        grpc: this.admin!.tcp,
        http: this.http?.endpoint,
        hostname: hostname(),
        datasets: datasets.list().length,
        defaultDataset: datasets.defaultDataset().name,
      },
      log,
    );
    if (writeBack.freeBytes() > 0) return;
    const { dataDir, diskReserveBytes } = settings;
    log.warn({}, `Nothing can be written to ${dataDir}: ${noRoomText(diskReserveBytes)}`);
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await this.nfs?.close(deadlineMs / 2);
    await Promise.all([this.admin?.close(deadlineMs / 4), this.http?.close()]);
    try {
      await this.volume?.close();
    } finally {
      await this.directory?.close();
    }
  }

  get datasets() {
    return this.volume!.datasets;
  }

  get snapshots() {
    return this.volume!.snapshots;
  }

  get restores() {
    return this.volume!.restores;
  }

  get detaches() {
    return this.volume!.detaches;
  }

  get jobs() {
    return this.volume!.jobs;
  }

  status() {
    const { settings, version } = this.options;
    const { format, writeBack, store } = this.volume!;
    let segmentBytes = 0;
    for (const { totalBytes } of store.live.segments.values()) segmentBytes += totalBytes;
    return {
      version,
      volumeUuid: uuidText(format.uuid),
      dataDir: settings.dataDir,
      listen: hostPortText(this.nfs!.endpoint),
      durability: settings.durability,
      uptimeMs: systemClock.elapsedMs() - this.startedMs,
      failure: this.failure(),
      diskBytes: segmentBytes,
      diskAvailableBytes: writeBack.freeBytes(),
      dirtyBytes: writeBack.dirtyBytes,
    };
  }

  clients() {
    return this.nfs!.clients();
  }

  exports() {
    return this.nfs!.exports.list();
  }

  async reloadExports() {
    const { settings, log, reloadSettings } = this.options;
    const now = reloadSettings();
    this.nfs!.exports.reload(now.exports);
    const needRestart = changedKeys(settings, now);
    const warning = restartText(needRestart);
    if (warning !== undefined) log.warn({ keys: needRestart }, warning);
    return { exports: now.exports, needRestart };
  }

  check(options: CheckOptions) {
    if (!options.repair) return checkVolume({ ...this.volume!, metaPath: this.directory!.metaPath }, options);
    throw new DatasetError(
      'busy',
      'Cannot repair a volume while it is served: stop the server, then check it with --repair',
    );
  }

  diff(request: DiffRequest, signal: AbortSignal) {
    return this.volume!.diffs.diff(request, signal);
  }

  failure(): string | undefined {
    return this.volume?.store.poisoned
      ? 'The store failed to write: nothing more is acknowledged until the server is started again'
      : undefined;
  }

  private metrics(): MetricsSource {
    const nfs = this.nfs!;
    const { datasets, store } = this.volume!;
    const { settings } = this.options;
    return {
      datasets,
      version: this.options.version,
      startedSeconds: systemClock.now().seconds - Math.round(process.uptime()),
      notReady: () => this.failure() ?? (this.closing ? 'The server is stopping' : undefined),
      failure: () => this.failure(),
      rpc: () => nfs.statistics,
      statusName,
      connections: () => nfs.clients().length,
      store: () => {
        const { inodes, names, chunks } = store.parts.settings.caches;
        const { diskBytes, diskAvailableBytes, dirtyBytes } = this.status();
        return {
          dirtyBytes,
          dirtyBytesMax: settings.dirtyBytesMax,
          commit: store.statistics,
          segments: store.live.segments.size,
          segmentBytes: diskBytes,
          diskAvailableBytes,
          caches: [
            { name: 'inodes', hits: inodes.hits, misses: inodes.misses },
            { name: 'names', hits: names.hits, misses: names.misses },
            { name: 'chunks', hits: chunks.hits, misses: chunks.misses },
          ],
        };
      },
    };
  }
}

/** The check of a data directory that no server has open. @throws StartError */
export async function* checkOffline(
  settings: Settings,
  log: AdminLog,
  options: CheckOptions,
): AsyncIterable<CheckEvent> {
  const directory = await openStores(settings).catch((error: Error) => error);
  if (directory instanceof Error) {
    yield* whyUnopened(directory, settings);
    return;
  }
  // It has been given up: the check cannot tell it any more.
  if (settings.repair) logDamage(directory, log);
  try {
    const volume = await openVolume(volumeParts(directory, settings, log), false).catch(
      (error: Error) => error,
    );
    if (volume instanceof Error) {
      yield* whyUnopened(volume, settings);
      return;
    }
    try {
      yield* checkVolume({ ...volume, metaPath: directory.metaPath }, options);
    } finally {
      await volume.close();
    }
  } finally {
    await directory.close();
  }
}

/** So badly hurt that it cannot be served: what LevelDB's own checksums say of its files is still worth knowing. */
async function* whyUnopened(error: Error, settings: Settings): AsyncIterable<CheckEvent> {
  const isDamaged =
    error instanceof MetaReadError ||
    error instanceof MetaWriteError ||
    error instanceof DamageError ||
    (error instanceof VolumeError && error.code === 'DAMAGED');
  if (!isDamaged) throw startErrorOf(error, settings);
  let findings = 1;
  // What is in a block that cannot be read is given up; but nothing gives back what is not there.
  const mendable = !(error instanceof DamageError) && (!(error instanceof VolumeError) || error.mendable);
  yield { finding: { kind: 'database', path: '', message: error.message, repaired: false, mendable } };
  for await (const { kind, message } of tableFindings(metaPathIn(settings.dataDir))) {
    findings++;
    yield { finding: { kind, path: '', message, repaired: false } };
  }
  yield { summary: { datasets: 0, inodes: 0, bytes: 0, findings, repaired: 0 } };
}

function logDamage({ damage }: DataDirectory, log: AdminLog): void {
  for (const one of damage) log.error({}, `${tableFinding(one).message}; see "cairn check"`);
}

function volumeParts(
  { meta, segments, format, metaPath }: DataDirectory,
  settings: Settings,
  log: AdminLog,
): VolumeParts {
  return {
    meta,
    segments,
    format,
    metaPath,
    clock: systemClock,
    random: systemRandom,
    log,
    repair: settings.repair,
    settings: {
      durability: settings.durability,
      relaxedSyncMs: settings.relaxedSyncIntervalMs,
      dirtyBytesMax: settings.dirtyBytesMax,
      diskReserveBytes: settings.diskReserveBytes,
      autoDetach: settings.autoDetach,
      cacheBytes: settings.cache.metadataBytes * (1 - LEVEL_SHARE),
    },
  };
}

/** @throws VolumeError */
function openStores(settings: Settings, isThreadFree = () => false): Promise<DataDirectory> {
  const { metadataBytes, warmBytes } = settings.cache;
  const levelSettings = {
    warmBytesMax: warmBytes,
    cacheBytes: metadataBytes * LEVEL_SHARE,
    repair: settings.repair,
    isThreadFree,
  };
  return openDataDirectory(settings.dataDir, levelSettings, systemRandom, systemClock);
}

/** What the person who starts the server can mend, in words for them; anything else as it is. */
function startErrorOf(error: unknown, settings: Settings): unknown {
  if (error instanceof VolumeError) return new StartError(error.message, { cause: error });
  if (error instanceof MetaReadError || error instanceof MetaWriteError || error instanceof DamageError) {
    const isMendable = !settings.repair && !(error instanceof DamageError);
    const repair = isMendable ? ', or start with --repair: that would lose what cannot be read' : '';
    const advice = `Restore ${settings.dataDir} from a backup${repair}; "cairn check" says what is hurt`;
    return new StartError(`Cannot open the volume: it is damaged (${error.message}). ${advice}`, {
      cause: error,
    });
  }
  if (error instanceof ListenError) {
    const { host, port, code } = error;
    const { portmapListen } = settings;
    const isPortmap = portmapListen?.port === port && portmapListen.host === host;
    const flag = isPortmap ? '--portmap-listen' : '--listen';
    return listenError({ endpoint: hostPortText({ host, port }), flag, code, cause: error });
  }
  return error;
}

function uuidText(uuid: Buffer): string {
  return uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
