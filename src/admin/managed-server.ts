// What the admin service manages. The server that serves NFS implements it; plain values, so that nothing here knows
// how they come about.

import type { Datasets } from '../datasets/datasets.ts';
import type { Detaches } from '../snapshots/detach/detaches.ts';
import type { Change } from '../snapshots/diff/change.ts';
import type { DiffRequest } from '../snapshots/diff/diffs.ts';
import type { Jobs } from '../snapshots/jobs/jobs.ts';
import type { Restores } from '../snapshots/restore/restores.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { ExportRule } from './config/settings.ts';

export interface ManagedServer {
  readonly datasets: Datasets;
  readonly snapshots: Snapshots;
  readonly restores: Pick<Restores, 'start'>;
  readonly detaches: Pick<Detaches, 'start'>;
  readonly jobs: Pick<Jobs, 'list' | 'get' | 'cancel'>;
  status(): ServerStatus;
  /** Why nothing more is acknowledged, in a sentence; undefined when all is well. */
  failure(): string | undefined;
  clients(): readonly ClientStatus[];
  exports(): readonly ExportRule[];
  /** Those of the configuration file as it is now. @throws ConfigError, and then the old ones stay */
  reloadExports(): Promise<ReloadedExports>;
  /** While clients are served; ends with the summary. */
  check(options: CheckOptions): AsyncIterable<CheckEvent>;
  /** In batches, as they are found; a watch ends with the signal. @throws DatasetError */
  diff(request: DiffRequest, signal: AbortSignal): AsyncIterable<readonly Change[]>;
}

export interface ReloadedExports {
  readonly exports: readonly ExportRule[];
  /** Other keys of the configuration that are not what the server runs with. */
  readonly needRestart: readonly string[];
}

export interface ServerStatus {
  readonly version: string;
  readonly volumeUuid: string;
  readonly dataDir: string;
  /** HOST:PORT of NFS. */
  readonly listen: string;
  readonly durability: 'strict' | 'relaxed';
  readonly uptimeMs: number;
  readonly failure: string | undefined;
  readonly diskBytes: number;
  readonly diskAvailableBytes: number;
  readonly dirtyBytes: number;
}

export interface ClientStatus {
  readonly address: string;
  readonly port: number;
  readonly connectedForMs: number;
  readonly calls: number;
  readonly sinceLastCallMs: number;
  /** What this address has mounted, as far as MOUNT was told. */
  readonly mounts?: readonly string[];
}

export interface CheckOptions {
  /** Only this path and what is below it; everything when undefined. */
  readonly path: string | undefined;
  readonly repair: boolean;
}

export type CheckEvent = { readonly finding: CheckFinding } | { readonly summary: CheckSummary };

export interface CheckFinding {
  /** Which invariant is broken, for programs. */
  readonly kind: string;
  /** As a client that mounts the server sees it; empty when what is hurt has no path. */
  readonly path: string;
  /** A sentence. */
  readonly message: string;
  readonly repaired: boolean;
  /** False where a repair cannot help; not always known. */
  readonly mendable?: boolean;
}

export interface CheckSummary {
  readonly datasets: number;
  readonly inodes: number;
  readonly bytes: number;
  readonly findings: number;
  readonly repaired: number;
}
