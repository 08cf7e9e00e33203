// /metrics: what each counter is called there. Names end with their unit, as Prometheus wants it.

import { Counter, Gauge, Registry } from 'prom-client';
import type { DatasetInfo } from '../../datasets/datasets.ts';
import { BucketHistogram, type BucketSample } from './bucket-histogram.ts';
import type { MetricsSource, ProcedureCounters, ProgramCounters } from './metrics-source.ts';

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: typeof Counter | typeof Gauge;
  readonly labels?: readonly string[];
  readonly samples: (source: MetricsSource) => readonly Sample[];
}

export function metricsOf(source: MetricsSource): Metrics {
  const registry = new Registry();
  for (const family of FAMILIES) register(registry, family, source);
  registry.registerMetric(
    new BucketHistogram({
      name: 'cairn_call_duration_seconds',
      help: 'Time from a call to its answer',
      labelNames: ['program', 'procedure'],
      samples: () => perProcedure(source, latencyOf),
    }),
  );
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

function register(
  registry: Registry,
  { name, help, type, labels, samples }: Family,
  source: MetricsSource,
): void {
  // The values are counted elsewhere: they are put in when somebody asks.
  new type({
    name,
    help,
    labelNames: [...(labels ?? [])],
    registers: [registry],
    collect() {
      this.reset();
      for (const sample of samples(source)) this.inc(sample.labels ?? {}, sample.value);
    },
  });
}

const FAMILIES: readonly Family[] = [
  ...serverFamilies(),
  ...callFamilies(),
  ...connectionFamilies(),
  ...storeFamilies(),
  ...datasetFamilies(),
];

function serverFamilies(): Family[] {
  return [
    {
      name: 'cairn_build_info',
      help: '1, with what is running',
      type: Gauge,
      labels: ['version'],
      samples: ({ version }) => [{ labels: { version }, value: 1 }],
    },
    // As every client library of Prometheus calls it.
    single(
      Gauge,
      'process_start_time_seconds',
      'When the process was started, in Unix seconds',
      ({ startedSeconds }) => startedSeconds,
    ),
    single(Gauge, 'cairn_ready', '1 while it serves and acknowledges, as /readyz says', (source) =>
      source.notReady() === undefined ? 1 : 0,
    ),
    single(
      Gauge,
      'cairn_failed',
      '1 from when the store failed to write, until the server is started again',
      (source) => (source.failure() === undefined ? 0 : 1),
    ),
  ];
}

function callFamilies(): Family[] {
  const labels = ['program', 'procedure'];
  const family = (name: string, help: string, value: (procedure: ProcedureCounters) => number): Family => ({
    name,
    help,
    type: Counter,
    labels,
    samples: (source) => perProcedure(source, (at, procedure) => ({ labels: at, value: value(procedure) })),
  });
  return [
    family('cairn_calls_total', 'Calls', (procedure) => procedure.calls),
    {
      name: 'cairn_call_failures_total',
      help: 'Calls answered with a status that is not OK',
      type: Counter,
      labels: [...labels, 'status'],
      samples: (source) =>
        perProcedure(source, (at, { failures }) =>
          Array.from(failures, ([status, value]) => ({
            labels: { ...at, status: source.statusName(status) },
            value,
          })),
        ).flat(),
    },
    family(
      'cairn_call_refusals_total',
      'Calls that RPC itself has refused, such as with garbage arguments',
      (procedure) => procedure.refusals,
    ),
    family('cairn_call_bytes_total', 'Bytes of the calls', (procedure) => procedure.bytesReceived),
    single(
      Gauge,
      'cairn_calls_in_flight',
      'Calls that wait for their answer',
      (source) => source.rpc().callsInFlight,
    ),
    single(
      Counter,
      'cairn_calls_refused_total',
      'Calls that got as far as no procedure',
      (source) => source.rpc().callsRefused,
    ),
  ];
}

function connectionFamilies(): Family[] {
  return [
    single(Gauge, 'cairn_connections', 'Connections of clients', (source) => source.connections()),
    single(
      Counter,
      'cairn_connections_accepted_total',
      'Connections accepted',
      (source) => source.rpc().connectionsAccepted,
    ),
    single(
      Counter,
      'cairn_connections_refused_total',
      'Connections over the limit',
      (source) => source.rpc().connectionsRefused,
    ),
    single(
      Counter,
      'cairn_connections_closed_total',
      'Connections that the server has closed for what the client did',
      (source) => source.rpc().connectionsClosed,
    ),
    single(
      Counter,
      'cairn_received_bytes_total',
      'Bytes from clients',
      (source) => source.rpc().bytesReceived,
    ),
    single(Counter, 'cairn_sent_bytes_total', 'Bytes to clients', (source) => source.rpc().bytesSent),
  ];
}

function storeFamilies(): Family[] {
  const cache = (name: string, help: string, counter: 'hits' | 'misses'): Family => ({
    name,
    help,
    type: Counter,
    labels: ['cache'],
    samples: (source) =>
      source.store().caches.map((each) => ({ labels: { cache: each.name }, value: each[counter] })),
  });
  return [
    cache('cairn_cache_hits_total', 'Reads that the cache has answered', 'hits'),
    cache('cairn_cache_misses_total', 'Reads that the cache could not answer', 'misses'),
    single(
      Gauge,
      'cairn_dirty_bytes',
      'File data that waits for its flush',
      (source) => source.store().dirtyBytes,
    ),
    single(
      Gauge,
      'cairn_dirty_limit_bytes',
      'File data that may wait for its flush',
      (source) => source.store().dirtyBytesMax,
    ),
    single(
      Counter,
      'cairn_commit_batches_total',
      'Batches written by the commit worker, each with one sync',
      (source) => source.store().commit.batches,
    ),
    single(
      Counter,
      'cairn_commit_items_total',
      'Operations in those batches',
      (source) => source.store().commit.items,
    ),
    single(
      Counter,
      'cairn_commit_rows_total',
      'Rows in those batches',
      (source) => source.store().commit.rows,
    ),
    single(
      Counter,
      'cairn_commit_seconds_total',
      'Time that those batches took to be on disk',
      (source) => source.store().commit.writeMs / 1000,
    ),
    single(
      Gauge,
      'cairn_commit_longest_seconds',
      'The longest time that a batch took',
      (source) => source.store().commit.writeMsMax / 1000,
    ),
    single(Gauge, 'cairn_segments', 'Segment files', (source) => source.store().segments),
    single(
      Gauge,
      'cairn_segment_bytes',
      'Size of the segment files: what file data takes on the disk',
      (source) => source.store().segmentBytes,
    ),
    single(
      Gauge,
      'cairn_disk_available_bytes',
      'What writes may still use of the disk: the reserve, and what waits in memory, are left out',
      (source) => source.store().diskAvailableBytes,
    ),
  ];
}

function datasetFamilies(): Family[] {
  const family = (name: string, help: string, value: (info: DatasetInfo) => number): Family => ({
    name,
    help,
    type: Gauge,
    labels: ['dataset'],
    samples: ({ datasets }) =>
      datasets.list().map((dataset) => ({
        labels: { dataset: dataset.name },
        value: value(datasets.info(dataset.name)),
      })),
  });
  return [
    family('cairn_dataset_used_bytes', 'Space used', (info) => info.usedBytes),
    family('cairn_dataset_used_inodes', 'Inodes used', (info) => info.usedInodes),
    family('cairn_dataset_available_bytes', 'What could still be written', (info) => info.availableBytes),
    family('cairn_dataset_quota_bytes', 'Quota; 0 is none', (info) => info.quota),
    single(
      Gauge,
      'cairn_pending_delete_bytes',
      'Space of deleted datasets that is still to come back',
      ({ datasets }) => datasets.pending().bytes,
    ),
  ];
}

function single(
  type: Family['type'],
  name: string,
  help: string,
  value: (source: MetricsSource) => number,
): Family {
  return { name, help, type, samples: (source) => [{ value: value(source) }] };
}

/** Only procedures that were ever called: most never are. */
function perProcedure<T>(
  source: MetricsSource,
  sample: (labels: Readonly<Record<string, string>>, procedure: ProcedureCounters) => T,
): T[] {
  return source
    .rpc()
    .programs.flatMap((program: ProgramCounters) =>
      program.procedures.flatMap((procedure) =>
        procedure && procedure.calls > 0
          ? [sample({ program: program.name, procedure: procedure.name }, procedure)]
          : [],
      ),
    );
}

function latencyOf(labels: Readonly<Record<string, string>>, procedure: ProcedureCounters): BucketSample {
  let count = 0;
  const cumulative = Array.from(procedure.latencyBuckets, (calls, index) => {
    count += calls;
    return { le: 2 ** index / 1e6, count };
  });
  return { labels, buckets: cumulative.slice(0, -1), count, sum: procedure.latencyMs / 1000 };
}
