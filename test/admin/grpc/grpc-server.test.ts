import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import {
  Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminClient } from '../../../src/admin/grpc/admin-client.ts';
import { adminPackage, adminService } from '../../../src/admin/grpc/admin-proto.ts';
import { placeSocket } from '../../../src/admin/grpc/socket-file.ts';
import { systemClock } from '../../../src/clock.ts';
import { FsError } from '../../../src/fs/fs-error.ts';
import { ManualClock } from '../../nfs/manual-clock.ts';
import { Served } from '../served.ts';

const { Check: healthCheck } = healthService;

let served: Served;
let client: AdminClient;
beforeEach(async () => {
  served = await Served.start();
  client = new AdminClient(served.socket, systemClock);
});
afterEach(async () => {
  client.close();
  await served.stop();
});

async function failure(call: Promise<unknown>): Promise<[code: string, sentence: string]> {
  try {
    await call;
  } catch (error) {
    const { code, details } = error as ServiceError;
    return [status[code]!, details];
  }
  throw new Error('The call did not fail');
}

async function createdDataset(name: string) {
  const { dataset } = await client.call('CreateDataset', { name, readonly: false, properties: {} });
  return dataset;
}

describe('a dataset as a message', () => {
  it('has all fields of the published record, and numbers above 2^32 exactly', async () => {
    await createdDataset('a');
    Object.assign(served.datasets.rows.get('a')!, { usedBytes: 2 ** 53 - 1, usedInodes: 2 ** 32 + 1 });
    const { dataset } = await client.call('GetDatasetInfo', { name: 'a' });
    expect(dataset).toMatchObject({
      id: 1,
      name: 'a',
      rootInode: 1,
      createdAt: 1_790_000_000,
      isReadonly: false,
      isSnapshot: false,
      generation: 1,
      flags: 0,
      kind: 'filesystem',
      usedBytes: 2 ** 53 - 1,
      usedInodes: 2 ** 32 + 1,
    });
    expect(dataset.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(dataset).not.toHaveProperty('parentId');
  });

  it('has a number for what is available also where the medium has no bound', async () => {
    const { info } = served.datasets;
    served.datasets.info = (name) => ({
      ...info.call(served.datasets, name),
      availableBytes: Number.POSITIVE_INFINITY,
    });
    const { dataset } = await client.call('GetDatasetInfo', { name: 'root' });
    expect(dataset.availableBytes).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('is created with what was asked for', async () => {
    await client.call('CreateDataset', {
      name: 'a',
      readonly: true,
      mode: 0o1777,
      uid: 4294967294,
      gid: 0,
      properties: { quota: '10GiB', 'backup:policy': '' },
    });
    expect(served.datasets.created).toEqual({
      readonly: true,
      mode: 0o1777,
      uid: 4294967294,
      gid: 0,
      properties: { quota: '10GiB', 'backup:policy': '' },
    });
  });

  it('leaves owner, mode and readonly to the server when they are not given', async () => {
    await createdDataset('a');
    expect(served.datasets.created).toEqual({ properties: {} });
  });
});

describe('failures', () => {
  it('have a code and a sentence', async () => {
    await createdDataset('a');
    await createdDataset('a/b');
    const calls: [Promise<unknown>, string, RegExp][] = [
      [createdDataset('a'), 'ALREADY_EXISTS', /^Cannot create a: there is one already$/],
      [createdDataset('.x'), 'INVALID_ARGUMENT', /^"\.x" is no valid name: /],
      [createdDataset(''), 'INVALID_ARGUMENT', /^The name is missing$/],
      [client.call('GetDatasetInfo', { name: 'b' }), 'NOT_FOUND', /^There is no dataset b$/],
      [
        client.call('DeleteDataset', { name: 'a', recursive: false }),
        'FAILED_PRECONDITION',
        /-r takes them too$/,
      ],
      [
        client.call('RenameDataset', { name: 'root', newName: 'r' }),
        'PERMISSION_DENIED',
        /^Cannot rename root$/,
      ],
      [
        client.call('SetProperties', { name: 'a', properties: {} }),
        'INVALID_ARGUMENT',
        /^No property is given/,
      ],
      [
        client.call('GetProperties', { name: 'a', properties: ['x'] }),
        'INVALID_ARGUMENT',
        /^There is no property "x"/,
      ],
      [
        client.call('CreateDataset', { name: 'c', readonly: false, mode: 0o10000, properties: {} }),
        'INVALID_ARGUMENT',
        /^The mode of a directory is at most 7777 \(octal\), not 10000$/,
      ],
      [
        client.call('CreateDataset', { name: 'c', readonly: false, uid: 0xffff_ffff, properties: {} }),
        'INVALID_ARGUMENT',
        /^No user and no group has the number 4294967295$/,
      ],
    ];
    for (const [call, code, sentence] of calls) {
      expect(await failure(call)).toEqual([code, expect.stringMatching(sentence)]);
    }
  });

  it('keep letters of every alphabet, quotes and percent signs', async () => {
    expect(await failure(client.call('GetDatasetInfo', { name: 'ä "x" 100%41' }))).toEqual([
      'NOT_FOUND',
      'There is no dataset ä "x" 100%41',
    ]);
  });

  it('of our own are logged, and answered without their details', async () => {
    served.datasets.info = () => {
      throw new TypeError('x is undefined');
    };
    expect(await failure(client.call('GetDatasetInfo', { name: 'root' }))).toEqual([
      'INTERNAL',
      'The server has met an error of its own; its log has the details',
    ]);
    expect(served.errors).toMatchObject([
      {
        fields: { method: 'GetDatasetInfo', err: { message: 'x is undefined' } },
        message: 'Cannot answer GetDatasetInfo',
      },
    ]);
  });
});

describe('a store that has failed', () => {
  it('is what a call answers that comes to nothing by it, and no error in the log', async () => {
    served.datasets.setDefault = () => Promise.reject(new FsError('EIO', 'poisoned'));
    const attempt = () => failure(client.call('SetDefaultDataset', { name: 'root' }));
    expect(await attempt()).toEqual(['INTERNAL', expect.stringContaining('an error of its own')]);
    expect(served.errors).toHaveLength(1);
    served.storeFailure = 'The store failed to write: start the server again';
    expect(await attempt()).toEqual(['INTERNAL', 'The store failed to write: start the server again']);
    expect(served.errors).toHaveLength(1);
  });
});

describe('the log', () => {
  it('has each change that was made, with its arguments, and nothing else', async () => {
    await createdDataset('a');
    await failure(createdDataset('a'));
    await client.call('SetProperties', { name: 'a', properties: { readonly: 'on', 'x:y': 'two\nlines' } });
    await client.call('InheritProperty', { name: 'a', property: 'readonly' });
    await client.call('GetDatasetInfo', { name: 'a' });
    await client.call('RenameDataset', { name: 'a', newName: 'b' });
    await client.call('SetDefaultDataset', { name: 'b' });
    await client.call('SetDefaultDataset', { name: 'root' });
    await client.call('PlanDelete', { name: 'b', recursive: true });
    await client.call('DeleteDataset', { name: 'b', recursive: true });
    await client.call('ReloadExports', {});
    expect(served.infos).toEqual([
      'Created a dataset: {"name":"a"}',
      'Set properties: {"name":"a","properties":{"readonly":"on","x:y":"two\\nlines"}}',
      'Took back a property: {"name":"a","property":"readonly"}',
      'Renamed a dataset: {"name":"a","newName":"b"}',
      'Set the default dataset: {"name":"b"}',
      'Set the default dataset: {"name":"root"}',
      'Deleted a dataset: {"name":"b","recursive":true}',
      'Read the export rules again',
    ]);
  });

  it('has no more of long arguments than a thousand characters', async () => {
    await createdDataset('a');
    await client.call('SetProperties', { name: 'a', properties: { 'x:y': 'z'.repeat(5000) } });
    expect(served.infos[1]).toMatch(/^Set properties: .{1000}…$/);
  });
});

describe('the default dataset', () => {
  it('is root until another is set', async () => {
    await createdDataset('a');
    expect((await client.call('GetDefaultDataset', {})).dataset.name).toBe('root');
    expect((await client.call('SetDefaultDataset', { name: 'a' })).dataset.isDefault).toBe(true);
    expect((await client.call('GetDefaultDataset', {})).dataset.name).toBe('a');
  });
});

describe('ListDatasets', () => {
  it('answers all, or one with those nested in it', async () => {
    for (const name of ['b', 'a', 'a/c', 'ab']) await createdDataset(name);
    const names = async (name: string) =>
      (await client.call('ListDatasets', { name })).datasets.map((dataset) => dataset.name);
    expect(await names('')).toEqual(['root', 'a', 'a/c', 'ab', 'b']);
    expect(await names('a')).toEqual(['a', 'a/c']);
    expect(await failure(names('x'))).toEqual(['NOT_FOUND', 'There is no dataset x']);
  });

  it('answers thousands whole and in order, and other calls in between', async () => {
    const names = Array.from({ length: 3000 }, (_, number) => `many/${10_000 + number}`);
    await createdDataset('many');
    const { datasets } = served;
    for (const name of names) datasets.rows.set(name, { ...datasets.rows.get('many')!, name });
    const ended: string[] = [];
    const note = <T>(what: string, answer: Promise<T>) => answer.finally(() => ended.push(what));
    const [list] = await Promise.all([
      note('list', client.call('ListDatasets', { name: 'many' })),
      note('other', client.call('GetDefaultDataset', {})),
    ]);
    expect(list.datasets.map(({ name }) => name)).toEqual(['many', ...names]);
    expect(ended).toEqual(['other', 'list']);
  });
});

describe('properties', () => {
  it('are set, got with their source, and inherited', async () => {
    await createdDataset('a');
    await createdDataset('a/b');
    await client.call('SetProperties', { name: 'a', properties: { readonly: 'on', 'x:y': 'z' } });
    const get = async () =>
      (
        await client.call('GetProperties', {
          name: 'a/b',
          properties: ['readonly', 'quota', 'x:y', 'no:such'],
        })
      ).properties;
    const own = { value: 'off', source: 'PROPERTY_SOURCE_LOCAL', inheritedFrom: '' };
    const inherited = { source: 'PROPERTY_SOURCE_INHERITED', inheritedFrom: 'a' };
    const others = [
      { name: 'quota', value: 'none', source: 'PROPERTY_SOURCE_DEFAULT', inheritedFrom: '' },
      { name: 'x:y', value: 'z', ...inherited },
      { name: 'no:such', value: '-', source: 'PROPERTY_SOURCE_NONE', inheritedFrom: '' },
    ];
    expect(await get()).toEqual([{ name: 'readonly', value: 'on', ...inherited }, ...others]);
    await client.call('SetProperties', { name: 'a/b', properties: { readonly: 'off' } });
    expect(await get()).toEqual([{ name: 'readonly', ...own }, ...others]);
    await client.call('InheritProperty', { name: 'a/b', property: 'readonly' });
    expect(await get()).toEqual([{ name: 'readonly', value: 'on', ...inherited }, ...others]);
  });
});

describe('Check', () => {
  it('streams findings and ends with the summary', async () => {
    served.checkEvents = [
      ...Array.from({ length: 5000 }, (_, index) => ({
        finding: {
          kind: 'nlink',
          path: `/a/${index}`,
          message: 'It has 2 links, counted are 1',
          repaired: true,
        },
      })),
      { summary: { datasets: 1, inodes: 2, bytes: 3, findings: 5000, repaired: 5000 } },
    ];
    const received = [];
    for await (const event of client.check({ path: '', repair: true })) received.push(event);
    expect(received).toHaveLength(5001);
    expect(received[7]).toMatchObject(served.checkEvents[7]!);
    expect(received[5000]).toMatchObject(served.checkEvents[5000]!);
  });
});

describe('the socket', () => {
  it('can be used by its owner only', () => {
    expect(statSync(served.socket).mode & 0o777).toBe(0o600);
    expect(readdirSync(served.directory)).toEqual(['admin.sock', 'data']);
  });

  it('is gone when the server is closed', async () => {
    const path = join(served.directory, 'second.sock');
    const second = await served.startAt(path);
    await second.close(1000);
    expect(existsSync(path)).toBe(false);
  });

  it('is not taken from a server that answers', async () => {
    await expect(served.startAt(served.socket)).rejects.toThrow(
      `Cannot make the admin socket ${served.socket}: another server answers there. Stop it, or choose another path ` +
        'with --admin-socket',
    );
    await client.call('GetStatus', {});
  });

  it('that a dead process has left is replaced', async () => {
    const path = join(served.directory, 'left.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', script])).toThrow();
    expect(statSync(path).isSocket()).toBe(true);
    const replaced = await served.startAt(path);
    const other = new AdminClient(path, systemClock);
    expect((await other.call('GetStatus', {})).version).toBe('1.2.3');
    other.close();
    await replaced.close(1000);
  });

  it('never takes the place of another file', async () => {
    const path = join(served.directory, 'notes.txt');
    writeFileSync(path, 'mine');
    await expect(served.startAt(path)).rejects.toThrow(/a file of this name is there, and it is no socket/);
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('needs its directory', async () => {
    const path = join(served.directory, 'absent/admin.sock');
    await expect(served.startAt(path)).rejects.toThrow(
      `Cannot make the admin socket ${path}: there is no directory ${served.directory}/absent. Choose another path`,
    );
    const file = join(served.directory, 'a-file');
    writeFileSync(file, '');
    await expect(served.startAt(join(file, 'admin.sock'))).rejects.toThrow(`: ${file} is no directory. `);
  });

  it('is left alone at the end when another server has put its own there', async () => {
    const path = join(served.directory, 'shared.sock');
    const first = await served.startAt(path);
    execFileSync('rm', [path]);
    const second = await served.startAt(path);
    await first.close(1000);
    expect(existsSync(path)).toBe(true);
    await second.close(1000);
  });

  it('is made without a moment in which others could connect, also with an umask that allows it', async () => {
    const directory = join(served.directory, 'open');
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    const path = join(directory, 's');
    const seen: number[] = [];
    const servers: NetServer[] = [];
    const file = await placeSocket(path, async (made) => {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(made, resolve));
      seen.push(statSync(join(made, '..')).mode & 0o777);
      expect(existsSync(path)).toBe(false);
    });
    expect(seen).toEqual([0o700]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const server of servers) server.close();
    await file.remove();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('reflection', () => {
  it('names the services and gives their files', async () => {
    const definition = loadSync(
      join(
        import.meta.dirname,
        '../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
      ),
    );
    // biome-ignore lint/suspicious/noExplicitAny: what another's .proto file defines has no types
    const { ServerReflection } = (loadPackageDefinition(definition) as any).grpc.reflection.v1;
    const reflection = new ServerReflection(`unix:${served.socket}`, credentials.createInsecure());
    const call = reflection.ServerReflectionInfo();
    const answers: { readonly listServicesResponse?: { service: { name: string }[] } }[] = [];
    call.on('data', (answer: (typeof answers)[number]) => answers.push(answer));
    const ended = new Promise((resolve) => call.on('end', resolve));
    call.write({ listServices: '' });
    call.write({ fileContainingSymbol: 'cairn.admin.v1.AdminService' });
    call.write({ fileContainingSymbol: 'grpc.health.v1.Health' });
    call.end();
    await ended;
    reflection.close();
    expect(answers[0]?.listServicesResponse?.service.map((service) => service.name)).toEqual(
      expect.arrayContaining(['cairn.admin.v1.AdminService', 'grpc.health.v1.Health']),
    );
    for (const answer of answers.slice(1)) expect(JSON.stringify(answer)).toContain('fileDescriptorResponse');
  });
});

describe('health', () => {
  const check = async (target: string, service: string, metadata = new Metadata()): Promise<unknown> => {
    const { path, requestSerialize, responseDeserialize } = healthCheck!;
    const health = new Client(target, credentials.createInsecure());
    try {
      return await new Promise((resolve, reject) =>
        health.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { service },
          metadata,
          (error, answer) => (error ? reject(error) : resolve(answer)),
        ),
      );
    } finally {
      health.close();
    }
  };

  it('is served for the server and for the service', async () => {
    expect(await check(`unix:${served.socket}`, '')).toMatchObject({ status: 'SERVING' });
    expect(await check(`unix:${served.socket}`, 'cairn.admin.v1.AdminService')).toMatchObject({
      status: 'SERVING',
    });
    expect(await failure(check(`unix:${served.socket}`, 'x'))).toMatchObject([
      'NOT_FOUND',
      expect.any(String),
    ]);
  });

  it('is that of the store, within a second, as /readyz says it', async () => {
    const clock = new ManualClock();
    const path = join(served.directory, 'health.sock');
    const admin = await served.startAt(path, undefined, clock);
    served.storeFailure = 'The store failed to write';
    clock.advance(1000);
    for (const service of ['', 'cairn.admin.v1.AdminService'])
      expect(await check(`unix:${path}`, service)).toMatchObject({ status: 'NOT_SERVING' });
    await admin.close(1000);
  });

  it('needs the token over TCP, as every call does, where one is configured', async () => {
    const token = '0123456789abcdef';
    const admin = await served.startAt(join(served.directory, 'tcp.sock'), {
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      token,
    });
    const target = `127.0.0.1:${admin.tcp!.port}`;
    const bearer = (text: string) => {
      const metadata = new Metadata();
      metadata.set('authorization', text);
      return metadata;
    };
    expect(await check(target, '', bearer(`Bearer ${token}`))).toMatchObject({ status: 'SERVING' });
    // RFC 7235 §2.1: the name of the scheme is in any case.
    expect(await check(target, '', bearer(`bearer ${token}`))).toMatchObject({ status: 'SERVING' });
    for (const wrong of ['', token, `Bearer ${token}x`, 'Bearer ', `Basic ${token}`]) {
      expect(await failure(check(target, '', wrong ? bearer(wrong) : new Metadata()))).toEqual([
        'UNAUTHENTICATED',
        'The token is missing or wrong: send the metadata "authorization: Bearer TOKEN"',
      ]);
    }
    const { path, requestSerialize, responseDeserialize } = adminService.CreateDataset;
    const remote = new Client(target, credentials.createInsecure());
    const refused = new Promise((resolve, reject) =>
      remote.makeUnaryRequest(path, requestSerialize, responseDeserialize, { name: 'a' }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      ),
    );
    expect((await failure(refused))[0]).toBe('UNAUTHENTICATED');
    expect(served.datasets.get('a')).toBeUndefined();
    await new Promise((resolve) =>
      remote.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { name: 'a' },
        bearer(`Bearer ${token}`),
        resolve,
      ),
    );
    expect(served.infos).toEqual([
      expect.stringMatching(/^Created a dataset for 127\.0\.0\.1:\d+: \{"name":"a"\}$/),
    ]);
    remote.close();
    // Once a minute for an address, whatever its port, and never with what it has sent.
    expect(served.warnings).toEqual([
      expect.stringMatching(/^Refused an admin call of 127\.0\.0\.1:\d+: it has no token$/),
    ]);
    await admin.close(1000);
  });
});

describe('TCP', () => {
  it('is served with TLS', async () => {
    // Made for localhost and valid for a hundred years: a machine without openssl runs this test too.
    const file = (name: string) => readFileSync(join(import.meta.dirname, name));
    const tls = { cert: file('localhost-cert.pem'), key: file('localhost-key.pem') };
    const admin = await served.startAt(join(served.directory, 'tls.sock'), {
      listen: { host: '127.0.0.1', port: 0 },
      tls,
      token: undefined,
    });
    const { path, requestSerialize, responseDeserialize } = healthCheck!;
    const health = new Client(`localhost:${admin.tcp!.port}`, credentials.createSsl(tls.cert));
    const answer = await new Promise((resolve, reject) =>
      health.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, value) =>
        error ? reject(error) : resolve(value),
      ),
    );
    expect(answer).toMatchObject({ status: 'SERVING' });
    health.close();
    await admin.close(1000);
  });

  it('names a port that is taken, and what to do', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const path = join(served.directory, 'taken.sock');
    await expect(
      served.startAt(path, { listen: { host: '127.0.0.1', port }, tls: undefined, token: undefined }),
    ).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: another program has the port. Stop that program (a second Cairn, or the ` +
        'kernel’s NFS server?), or choose another with --grpc-listen HOST:PORT',
    );
    expect(existsSync(path)).toBe(false);
    taken.close();
  });
});

describe('the definition', () => {
  it('has the nine published methods and ours', () => {
    expect(Object.keys(adminPackage['cairn.admin.v1.AdminService'] as object)).toEqual([
      'CreateDataset',
      'ListDatasets',
      'DeleteDataset',
      'GetDatasetInfo',
      'SetDefaultDataset',
      'GetDefaultDataset',
      'CreateSnapshot',
      'ListSnapshots',
      'GetSnapshotInfo',
      'DeleteSnapshot',
      'PlanDeleteSnapshot',
      'RenameSnapshot',
      'HoldSnapshot',
      'ReleaseSnapshot',
      'CloneDataset',
      'RollbackDataset',
      'PlanRollback',
      'SetProperties',
      'GetProperties',
      'InheritProperty',
      'RenameDataset',
      'PlanDelete',
      'ListExports',
      'ReloadExports',
      'ListClients',
      'GetStatus',
      'Check',
      'Diff',
      'Restore',
      'Detach',
      'ListJobs',
      'CancelJob',
    ]);
  });
});
