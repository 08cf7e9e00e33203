// The counters that /metrics shows: plain numbers, kept by those who do the work and read when somebody asks.

import type { Datasets } from '../../datasets/datasets.ts';

export interface MetricsSource {
  readonly datasets: Datasets;
  readonly version: string;
  /** Of the process, in Unix seconds. */
  readonly startedSeconds: number;
  /** Why it is not ready, as /readyz says; undefined when it is. */
  notReady(): string | undefined;
  /** Why nothing more is acknowledged; undefined when all is well. */
  failure(): string | undefined;
  /** Of the TCP server that serves NFS. */
  rpc(): RpcCounters;
  /** As the protocol names it. */
  statusName(status: number): string;
  connections(): number;
  store(): StoreCounters;
}

export interface RpcCounters {
  readonly programs: readonly ProgramCounters[];
  readonly connectionsAccepted: number;
  readonly connectionsRefused: number;
  readonly connectionsClosed: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly callsInFlight: number;
  readonly callsRefused: number;
}

export interface ProgramCounters {
  readonly name: string;
  readonly version: number;
  readonly procedures: readonly (ProcedureCounters | undefined)[];
}

export interface ProcedureCounters {
  readonly name: string;
  readonly calls: number;
  /** Answers that were not OK, by their status. */
  readonly failures: ReadonlyMap<number, number>;
  readonly refusals: number;
  readonly bytesReceived: number;
  readonly latencyMs: number;
  /** Bucket i counts calls that took less than 2^i microseconds, the last one also all longer ones. */
  readonly latencyBuckets: ArrayLike<number>;
}

export interface StoreCounters {
  /** Waits in memory for its flush. */
  readonly dirtyBytes: number;
  readonly dirtyBytesMax: number;
  readonly commit: {
    readonly batches: number;
    readonly items: number;
    readonly rows: number;
    readonly writeMs: number;
    readonly writeMsMax: number;
  };
  readonly segments: number;
  readonly segmentBytes: number;
  readonly diskAvailableBytes: number;
  readonly caches: readonly CacheCounters[];
}

export interface CacheCounters {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
}
