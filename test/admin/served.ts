// An admin service on a socket of its own, with datasets in memory.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GrpcSettings } from '../../src/admin/config/grpc-settings.ts';
import { loadSettings } from '../../src/admin/config/settings.ts';
import { type AdminServer, startAdminServer } from '../../src/admin/grpc/grpc-server.ts';
import type { CheckEvent, ManagedServer } from '../../src/admin/managed-server.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Snapshots } from '../../src/snapshots/snapshots.ts';
import { MemoryDatasets } from './memory-datasets.ts';

export interface LoggedError {
  readonly fields: object;
  readonly message: string;
}

export class Served {
  readonly directory = mkdtempSync(join(tmpdir(), 'cairn-admin-'));
  readonly socket = join(this.directory, 'admin.sock');
  readonly dataDir = join(this.directory, 'data');
  readonly datasets = new MemoryDatasets();
  readonly errors: LoggedError[] = [];
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  storeFailure: string | undefined;
  exported: readonly string[] = ['*'];
  checkEvents: CheckEvent[] = [{ summary: { datasets: 1, inodes: 1, bytes: 0, findings: 0, repaired: 0 } }];
  reloads = 0;
  needRestart: string[] = [];
  admin!: AdminServer;

  static async start(tcp?: GrpcSettings): Promise<Served> {
    const served = new Served();
    mkdirSync(served.dataDir);
    served.admin = await served.startAt(served.socket, tcp);
    return served;
  }

  async startAt(socket: string, tcp?: GrpcSettings, clock: Clock = systemClock): Promise<AdminServer> {
    const ignore = () => {};
    return startAdminServer({
      server: this.#managed(),
      log: {
        debug: ignore,
        info: (_fields, message) => this.infos.push(message),
        warn: (_fields, message) => this.warnings.push(message),
        error: (fields, message) => this.errors.push({ fields, message }),
      },
      clock,
      socket,
      tcp,
    });
  }

  async stop(): Promise<void> {
    await this.admin.close(1000);
    rmSync(this.directory, { recursive: true });
  }

  #managed(): ManagedServer {
    const [rule] = loadSettings({}, {}, '/').exports;
    const exports = () => [{ ...rule!, datasets: this.exported }];
    return {
      datasets: this.datasets,
      // Their commands run over the real registry, in snapshot-commands.test.ts.
      snapshots: {} as Snapshots,
      restores: {} as ManagedServer['restores'],
      detaches: {} as ManagedServer['detaches'],
      jobs: {} as ManagedServer['jobs'],
      status: () => ({
        version: '1.2.3',
        volumeUuid: '0f0e0d0c-0000-4000-8000-000000000000',
        dataDir: this.dataDir,
        listen: '127.0.0.1:2049',
        durability: 'strict',
        uptimeMs: 3_723_000.7,
        failure: this.storeFailure,
        diskBytes: 1e12,
        diskAvailableBytes: 2 ** 40,
        dirtyBytes: 1536,
      }),
      failure: () => this.storeFailure,
      clients: () => [
        {
          address: '127.0.0.1',
          port: 700,
          connectedForMs: 61_000.5,
          calls: 12,
          sinceLastCallMs: 0.3,
          mounts: ['/'],
        },
      ],
      exports,
      reloadExports: async () => {
        this.reloads++;
        return { exports: exports(), needRestart: this.needRestart };
      },
      check: async function* (this: Served) {
        yield* this.checkEvents;
      }.bind(this),
      // Over a real server, in diff-commands.test.ts.
      diff: async function* () {},
    };
  }
}
