// A volume in memory, served over a real socket. `restart` ends the server as a crash would: what was acknowledged is
// in the stores, and nothing else is carried over.

import { type Clock, systemClock, systemRandom, type Timestamp } from '../../src/clock.ts';
import { type CheckReport, checkVolume } from '../../src/datasets/check/check-volume.ts';
import { createFormat, openFormat } from '../../src/kv/format.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { MetaStore } from '../../src/kv/meta-store.ts';
import { lentBuffers } from '../../src/lent-buffers.ts';
import type { ExportRule } from '../../src/nfs/export-rule.ts';
import { NfsServer } from '../../src/nfs/nfs-server.ts';
import { openVolume, type Volume } from '../../src/volume.ts';
import { type LogLines, logLines } from './log-lines.ts';
import { RawClient } from './raw-client.ts';

export const OPEN_TO_ALL: ExportRule = {
  networks: ['*'],
  access: 'rw',
  squash: 'none',
  anonuid: 65534,
  anongid: 65534,
  secure: false,
  datasets: ['*'],
};

// A reply that looks at a buffer which was given back shows it.
lentBuffers.overwriteGiven = true;

const SETTINGS = {
  durability: 'strict',
  relaxedSyncMs: 1000,
  dirtyBytesMax: 64 * 2 ** 20,
  diskReserveBytes: 0,
  autoDetach: true,
  cacheBytes: 16 * 2 ** 20,
} as const;

export class ServedVolume {
  readonly log: LogLines = logLines();
  private readonly meta: MetaStore;
  private readonly segments = new MemorySegmentStore();
  private running: { readonly volume: Volume; readonly server: NfsServer } | undefined;
  /** What the wall clock says; the time of day unless given. */
  now: Timestamp | undefined;
  private clients: RawClient[] = [];

  static async start(
    rules: readonly ExportRule[] = [OPEN_TO_ALL],
    meta: MetaStore = new MemoryMetaStore(),
  ): Promise<ServedVolume> {
    const served = new ServedVolume(meta);
    await createFormat(served.meta, systemRandom);
    await served.open(rules);
    return served;
  }

  private constructor(meta: MetaStore) {
    this.meta = meta;
  }

  get datasets() {
    return this.running!.volume.datasets;
  }

  get snapshots() {
    return this.running!.volume.snapshots;
  }

  /** Of file data, so far. */
  get flushes(): number {
    return this.running!.volume.writeBack.statistics.flushes;
  }

  get server(): NfsServer {
    return this.running!.server;
  }

  /** What `cairn check` has to say; the last report is the summary. */
  async check(): Promise<CheckReport[]> {
    const reports: CheckReport[] = [];
    for await (const report of checkVolume(this.running!.volume, { path: undefined, repair: false }))
      reports.push(report);
    return reports;
  }

  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this.server.endpoint.port);
    this.clients.push(client);
    return client;
  }

  async restart(rules: readonly ExportRule[] = [OPEN_TO_ALL]): Promise<void> {
    await this.stop();
    await this.open(rules);
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    this.clients = [];
    const { volume, server } = this.running!;
    await server.close(0);
    await Promise.all([volume.trees.stop(), volume.sweeps.stop(), volume.reclaimer.stop()]);
    volume.writeBack.stop();
  }

  private async open(rules: readonly ExportRule[]): Promise<void> {
    const { meta, segments, log } = this;
    const format = await openFormat(meta, systemRandom);
    const clock: Clock = { ...systemClock, now: () => this.now ?? systemClock.now() };
    const parts = { meta, segments, format, clock, random: systemRandom, log };
    const volume = await openVolume({ ...parts, settings: SETTINGS });
    const server = await NfsServer.listen({
      datasets: volume.datasets,
      snapshots: volume.snapshots,
      exports: rules,
      volume: format,
      replies: await volume.replies(),
      listen: { host: '127.0.0.1', port: 0 },
      portmapListen: undefined,
      limits: {},
      log,
      clock,
    });
    this.running = { volume, server };
  }
}
