import { request } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../../../src/admin/http/http-server.ts';
import type { MetricsSource } from '../../../src/admin/http/metrics-source.ts';
import { ProcedureStatistics, ServerStatistics } from '../../../src/nfs/rpc/statistics.ts';
import { statusName } from '../../../src/nfs/status.ts';
import { MemoryDatasets } from '../memory-datasets.ts';

const getattr = new ProcedureStatistics('GETATTR');
const never = new ProcedureStatistics('NULL');
const rpc = new ServerStatistics([
  { program: 100003, version: 3, name: 'NFS', procedures: [never, getattr, undefined] },
]);
const datasets = new MemoryDatasets();

const source: MetricsSource = {
  datasets,
  version: '1.2.3',
  startedSeconds: 1_790_000_000,
  notReady: () => reason,
  failure: () => storeFailure,
  statusName,
  rpc: () => rpc,
  connections: () => 3,
  store: () => ({
    dirtyBytes: 4096,
    dirtyBytesMax: 8192,
    commit: { batches: 2, items: 10, rows: 30, writeMs: 250, writeMsMax: 200 },
    segments: 5,
    segmentBytes: 12345,
    diskAvailableBytes: 2 ** 40,
    caches: [{ name: 'inodes', hits: 9, misses: 1 }],
  }),
};

let reason: string | undefined;
let storeFailure: string | undefined;
let errors: string[] = [];
let server: HttpServer;
const ignore = () => {};

beforeEach(async () => {
  reason = undefined;
  errors = [];
  server = await startHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    metrics: source,
    log: { debug: ignore, info: ignore, warn: ignore, error: (_, message) => errors.push(message) },
  });
});
afterEach(() => server.close());

async function get(path: string, method = 'GET'): Promise<{ status: number; text: string; headers: object }> {
  return new Promise((resolve, reject) => {
    request({ ...server.endpoint, path, method }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });
}

describe('/metrics', () => {
  it('has every counter, in the format of Prometheus', async () => {
    getattr.calls = 3;
    getattr.record(0.0005);
    getattr.record(0.003);
    getattr.record(1e9);
    // An answer that is there in the turn of the call, one in bytes, and two that say nothing new.
    getattr.answered({ status: 70 });
    getattr.answered(Buffer.from([0, 0, 0, 70, 0, 0, 0, 0]));
    getattr.answered({ attributes: {} });
    getattr.answered(undefined);
    storeFailure = 'The store failed to write';
    Object.assign(rpc, { bytesSent: 77, connectionsAccepted: 4 });
    await datasets.create('a', { properties: { quota: '10GiB' } });
    Object.assign(datasets.rows.get('a')!, { usedBytes: 2 ** 53 - 1, usedInodes: 7 });
    const { status, text, headers } = await get('/metrics');
    expect([status, headers]).toMatchObject([
      200,
      { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    ]);
    for (const expected of [
      '# TYPE cairn_calls_total counter',
      'cairn_calls_total{program="NFS",procedure="GETATTR"} 3',
      '# TYPE cairn_call_duration_seconds histogram',
      'cairn_call_duration_seconds_bucket{le="0.000001",program="NFS",procedure="GETATTR"} 1',
      'cairn_call_duration_seconds_bucket{le="0.000004",program="NFS",procedure="GETATTR"} 2',
      'cairn_call_duration_seconds_bucket{le="+Inf",program="NFS",procedure="GETATTR"} 3',
      'cairn_call_duration_seconds_count{program="NFS",procedure="GETATTR"} 3',
      'cairn_call_failures_total{program="NFS",procedure="GETATTR",status="STALE"} 2',
      'cairn_build_info{version="1.2.3"} 1',
      'process_start_time_seconds 1790000000',
      'cairn_ready 1',
      'cairn_failed 1',
      'cairn_connections 3',
      'cairn_connections_accepted_total 4',
      'cairn_sent_bytes_total 77',
      'cairn_cache_hits_total{cache="inodes"} 9',
      'cairn_cache_misses_total{cache="inodes"} 1',
      'cairn_dirty_bytes 4096',
      'cairn_commit_batches_total 2',
      'cairn_commit_items_total 10',
      'cairn_commit_seconds_total 0.25',
      'cairn_commit_longest_seconds 0.2',
      'cairn_segments 5',
      'cairn_dataset_used_bytes{dataset="a"} 9007199254740991',
      'cairn_dataset_used_inodes{dataset="a"} 7',
      'cairn_dataset_quota_bytes{dataset="a"} 10737418240',
      'cairn_pending_delete_bytes 4096',
    ]) {
      expect(text.split('\n')).toContain(expected);
    }
    expect(text).not.toContain('procedure="NULL"');
  });

  it('counts from where the counters are, however often it is asked', async () => {
    const lines = async () =>
      (await get('/metrics')).text.split('\n').filter((line) => line.startsWith('cairn_sent'));
    expect(await lines()).toEqual(await lines());
  });

  it('forgets datasets that are gone', async () => {
    await datasets.create('gone', {});
    expect((await get('/metrics')).text).toContain('dataset="gone"');
    await datasets.delete('gone', false);
    expect((await get('/metrics')).text).not.toContain('dataset="gone"');
  });

  it('answers 500 and logs when a counter cannot be read', async () => {
    const { list } = datasets;
    datasets.list = () => {
      throw new Error('broken');
    };
    expect(await get('/metrics')).toMatchObject({ status: 500, text: '' });
    expect(errors).toEqual(['Cannot answer /metrics']);
    datasets.list = list;
  });
});

describe('/healthz and /readyz', () => {
  it('are ok while the server serves', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await get('/readyz?verbose')).toMatchObject({ status: 200, text: 'ok\n' });
  });

  it('tell a server that lives from one that is ready', async () => {
    reason = 'A sync has failed: nothing more is acknowledged until a restart';
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toMatchObject({ status: 503, text: `${reason}\n` });
    expect((await get('/metrics')).text).toMatch(/^cairn_ready 0$/m);
  });
});

describe('other requests', () => {
  it('are refused', async () => {
    expect(await get('/')).toMatchObject({
      status: 404,
      text: 'There is no /; there are /metrics, /healthz and /readyz\n',
    });
    expect(await get('/metrics', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await get('/healthz', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });
});

describe('a port that is taken', () => {
  it('is named, with what to do', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await expect(
      startHttpServer({
        listen: { host: '127.0.0.1', port },
        metrics: source,
        log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      }),
    ).rejects.toThrow(
      new RegExp(
        `^Cannot listen on 127.0.0.1:${port}: another program has the port.*--http-listen HOST:PORT$`,
      ),
    );
    taken.close();
  });
});
