// NFS, MOUNT and the port mapper on one TCP port, and, when asked for, the port mapper on its own address as well.

import type { Clock } from '../clock.ts';
import type { Datasets } from '../datasets/datasets.ts';
import { DuplicateRequestCache } from './duplicate-request-cache.ts';
import type { ExportRule } from './export-rule.ts';
import { Exports } from './exports.ts';
import { Handles } from './handle.ts';
import { MOUNT_PROGRAM, MOUNT_VERSION, mountProgram } from './mount.ts';
import { MountTable } from './mount-table.ts';
import { NFS_PROGRAM, NFS_VERSION, nfs3Program } from './nfs3/program.ts';
import { PORTMAP_PROGRAM, PORTMAP_VERSION, portmapProgram } from './portmap.ts';
import type { Endpoint } from './rpc/endpoint.ts';
import type { TcpLimits } from './rpc/limits.ts';
import type { RpcLog } from './rpc/log.ts';
import { type ClientInfo, TcpServer } from './rpc/tcp-server.ts';
import { UdpServer } from './rpc/udp-server.ts';
import type { ServedSnapshots } from './snapshots-directory.ts';

export interface NfsServerOptions {
  readonly datasets: Datasets;
  readonly snapshots: ServedSnapshots;
  readonly exports: readonly ExportRule[];
  readonly volume: { readonly uuid: Buffer; readonly handleKey: Buffer; readonly writeVerifier: Buffer };
  /** REPLY rows of earlier runs. */
  readonly replies: Iterable<readonly [slot: number, value: Buffer]>;
  readonly listen: Endpoint;
  readonly portmapListen: Endpoint | undefined;
  readonly limits: Partial<TcpLimits>;
  readonly log: RpcLog;
  readonly clock: Clock;
}

export interface ConnectedClient extends ClientInfo {
  readonly mounts: readonly string[];
}

export class NfsServer {
  readonly exports: Exports;
  readonly duplicates: DuplicateRequestCache;
  private readonly tcp: TcpServer;
  private readonly portmapServers: readonly { close(deadlineMs: number): Promise<void> }[];
  private readonly mounts: MountTable;

  private constructor(parts: {
    readonly exports: Exports;
    readonly duplicates: DuplicateRequestCache;
    readonly mounts: MountTable;
    readonly tcp: TcpServer;
    readonly portmapServers: readonly { close(deadlineMs: number): Promise<void> }[];
  }) {
    this.exports = parts.exports;
    this.duplicates = parts.duplicates;
    this.mounts = parts.mounts;
    this.tcp = parts.tcp;
    this.portmapServers = parts.portmapServers;
  }

  /** @throws ListenError */
  static async listen(options: NfsServerOptions): Promise<NfsServer> {
    const { datasets, snapshots, volume, log, clock, limits, listen, portmapListen } = options;
    const exports = new Exports(options.exports, { log, clock });
    const duplicates = new DuplicateRequestCache(clock);
    duplicates.restore(options.replies);
    const mounts = new MountTable();
    const targets = {
      datasets,
      snapshots,
      exports,
      handles: new Handles(volume),
      volumeNumber: volume.uuid.readUInt32BE(0),
      clock,
    };
    const nfs = nfs3Program({ ...targets, duplicates, writeVerifier: volume.writeVerifier, log });
    const mount = mountProgram({ ...targets, table: mounts });
    const portmap = portmapProgram(() => registrations(tcp.endpoint.port));
    const programs = [nfs, mount, portmap];
    const tcp = await TcpServer.listen({ programs, log, clock, limits }, listen);
    try {
      const portmapServers = portmapListen
        ? await listenForPortmap(portmapListen, tcp.endpoint.port, { log, clock })
        : [];
      return new NfsServer({ exports, duplicates, mounts, tcp, portmapServers });
    } catch (error) {
      await tcp.close(0);
      throw error;
    }
  }

  get endpoint(): Endpoint {
    return this.tcp.endpoint;
  }

  get statistics() {
    return this.tcp.statistics;
  }

  /** One connection alone is calling, and waits for an answer. */
  get hasSoleWaiter(): boolean {
    return this.tcp.hasSoleWaiter;
  }

  clients(): ConnectedClient[] {
    return this.tcp.clients().map((client) => ({ ...client, mounts: this.mounts.of(client.address) }));
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all([this.tcp, ...this.portmapServers].map((server) => server.close(deadlineMs)));
  }
}

function registrations(port: number) {
  return [
    { program: PORTMAP_PROGRAM, version: PORTMAP_VERSION, port },
    { program: NFS_PROGRAM, version: NFS_VERSION, port },
    { program: MOUNT_PROGRAM, version: MOUNT_VERSION, port },
  ];
}

/** TCP and UDP: showmount and rpcinfo ask by either. */
async function listenForPortmap(
  listen: Endpoint,
  port: number,
  { log, clock }: { log: RpcLog; clock: Clock },
) {
  const programs = [portmapProgram(() => registrations(port))];
  const tcp = await TcpServer.listen({ programs, log, clock }, listen);
  try {
    const udp = await UdpServer.listen({ programs, log }, { host: listen.host, port: tcp.endpoint.port });
    return [tcp, { close: () => udp.close() }];
  } catch (error) {
    await tcp.close(0);
    throw error;
  }
}
