import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeBy } from '../../nfs/nfs3/nfs3-client.ts';
import { type Mounted, RealServer, readFile, writeFile } from '../real-server.ts';

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server.stop());

async function dataset(name: string): Promise<Mounted> {
  await server.ok('create', name);
  return server.mount(`/${name}`);
}

async function failure(...argv: string[]): Promise<[number, string]> {
  const { status, stderr } = await server.dataset(...argv);
  return [status, stderr.trimEnd()];
}

async function names({ client, root }: Mounted): Promise<string[]> {
  const { entries } = await client.readdir(root, 0n, 8192);
  return entries
    .map(({ name }) => name)
    .filter((name) => name !== '.' && name !== '..')
    .sort();
}

describe('dataset restore', () => {
  it('brings a lost file back with its bytes, holes and attributes', async () => {
    const live = await dataset('file');
    const { client, root } = live;
    const file = await writeFile(live, 'lost', 'first');
    await client.write(file, 5_000_000n, Buffer.alloc(300_000, 'x'), 0);
    await client.setattr(file, { mode: 0o4751, uid: 7, gid: 8, size: 9_000_000n });
    await client.setattr(file, {
      atime: { seconds: 11, nanoseconds: 12 },
      mtime: { seconds: 13, nanoseconds: 14 },
    });
    const before = (await client.getattr(file)).attributes!;
    await server.ok('snapshot', 'file', 's');
    await client.remove(root, 'lost');
    expect(await server.ok('restore', 'file@s:/lost')).toBe(
      'Restored /lost of file@s to /lost of file: 293K of 293K\n',
    );
    const restored = await client.lookup(root, 'lost');
    const after = (await client.getattr(restored.handle)).attributes!;
    const { fileid, ctime } = after;
    expect(fileid).not.toBe(before.fileid);
    expect(after).toEqual({ ...before, fileid, ctime });
    expect((await client.read(restored.handle, 0n, 8)).data.toString()).toBe('first\0\0\0');
    expect((await client.read(restored.handle, 5_299_999n, 2)).data.toString()).toBe('x\0');
    expect(await names(live)).toEqual(['lost']);
  });

  it('brings a tree back under another name: directories, links, names of one file', async () => {
    const { client, root } = await dataset('tree');
    const directory = await madeBy(client.mkdir(root, 'dir', { mode: 0o711, uid: 5 }));
    const deep = await madeBy(client.mkdir(directory, 'deep'));
    const file = await writeFile({ client, root: deep }, 'one', 'text');
    await client.link(file, directory, 'two');
    await client.symlink(directory, 'to', 'deep/one', { uid: 9 });
    await client.mknod(directory, 'pipe', 7);
    await client.setattr(directory, { mtime: { seconds: 1, nanoseconds: 2 } });
    await server.ok('snapshot', 'tree', 's');
    await server.ok('restore', 'tree@s:/dir', '/again');
    const again = await client.lookup(root, 'again');
    expect(again.attributes).toMatchObject({
      mode: 0o711,
      uid: 5,
      mtime: { seconds: 1, nanoseconds: 2 },
      nlink: 3,
    });
    expect(await names({ client, root: again.handle })).toEqual(['deep', 'pipe', 'to', 'two']);
    const one = await client.lookup((await client.lookup(again.handle, 'deep')).handle, 'one');
    const two = await client.lookup(again.handle, 'two');
    expect(two.handle).toEqual(one.handle);
    expect(one.attributes).toMatchObject({ nlink: 2 });
    expect(await readFile({ client, root: again.handle }, 'two')).toBe('text');
    const link = await client.lookup(again.handle, 'to');
    expect(link.attributes).toMatchObject({ uid: 9 });
    expect((await client.readlink(link.handle)).target?.toString()).toBe('deep/one');
    expect(await readFile({ client, root: directory }, 'two')).toBe('text');
  });

  it('restores also after the dataset has changed on, and what was overwritten since', async () => {
    const live = await dataset('old');
    await writeFile(live, 'file', 'before');
    await server.ok('snapshot', 'old', 's');
    await writeFile(live, 'file', 'after');
    await server.ok('restore', 'old@s:file', 'file.before');
    expect(await readFile(live, 'file.before')).toBe('before');
    expect(await readFile(live, 'file')).toBe('after');
    await server.ok('delete-snapshot', 'old@s');
    expect(await readFile(live, 'file.before')).toBe('before');
    expect(await server.cairn('check')).toContain('nothing is wrong');
  });

  it('replaces what is there where it is told to: a file, and a tree by whatever it was', async () => {
    const live = await dataset('replace');
    const { client, root } = live;
    const old = await writeFile(live, 'file', 'before');
    const directory = await madeBy(client.mkdir(root, 'dir'));
    await writeFile({ client, root: directory }, 'one', '1');
    await writeFile({ client, root: directory }, 'two', '2');
    await server.ok('snapshot', 'replace', 's');
    await writeFile(live, 'file', 'after');
    await client.remove(directory, 'two');
    await writeFile({ client, root: directory }, 'new', '3');
    const before = (await client.getattr(root)).attributes!;
    await server.ok('restore', 'replace@s:/file', '--replace');
    await server.ok('restore', 'replace@s:/dir', '--replace');
    expect(await names(live)).toEqual(['dir', 'file']);
    expect(await readFile(live, 'file')).toBe('before');
    expect(await client.getattr(old)).toMatchObject({ status: 70 });
    const restored = (await client.lookup(root, 'dir')).handle;
    expect(await names({ client, root: restored })).toEqual(['one', 'two']);
    expect((await client.getattr(root)).attributes).toMatchObject({ nlink: before.nlink });
    // A file by a tree, and a tree by a file.
    await server.ok('restore', 'replace@s:/dir', '/file', '--replace');
    await server.ok('restore', 'replace@s:/file', '/dir', '--replace');
    expect(await names({ client, root: (await client.lookup(root, 'file')).handle })).toEqual(['one', 'two']);
    expect(await readFile(live, 'dir')).toBe('before');
    expect((await client.getattr(root)).attributes).toMatchObject({ nlink: before.nlink });
    expect(await server.cairn('check')).toContain('nothing is wrong');
  });

  it('puts nothing into or in place of the directory at which a nested dataset shows', async () => {
    const live = await dataset('around');
    await writeFile(live, 'file', 'text');
    await server.ok('snapshot', 'around', 's');
    await server.ok('create', 'around/nested');
    expect(await failure('restore', 'around@s:/file', '/nested', '--replace')).toEqual([
      4,
      'cairn: /nested of around is where the dataset around/nested shows, which is not replaced: say where else to restore to',
    ]);
    expect(await failure('restore', 'around@s:/file', '/nested/file')).toEqual([
      2,
      'cairn: /nested of around is where the dataset around/nested shows, and a restore stays in its own dataset: say where else to restore to',
    ]);
    expect(await names(live)).toEqual(['file', 'nested']);
  });

  it('says which job it was, and lists it', async () => {
    const live = await dataset('job');
    await writeFile(live, 'file', 'text');
    await server.ok('snapshot', 'job', 's');
    const { job } = await server.json('restore', 'job@s:/file', '/copy');
    expect(job).toMatchObject({
      kind: 'restore',
      state: 'done',
      unit: 'bytes',
      done: 4,
      total: 4,
      message: '',
    });
    const listed = JSON.parse(await server.cairn('job', 'list', '-o', 'json'));
    expect(listed.jobs).toContainEqual(job);
    expect(await server.cairn('job', 'list', '-H', '-o', 'id,state,subject')).toContain(
      `${job.id}\tdone\t/file of job@s to /copy of job\n`,
    );
  });

  it('leaves what is there alone, and refuses what it cannot do', async () => {
    const live = await dataset('refused');
    await writeFile(live, 'file', 'text');
    await server.ok('snapshot', 'refused', 's');
    expect(await failure('restore', 'refused@s:/file')).toEqual([
      4,
      'cairn: There is a /file in refused already: say where else to restore to, or replace it with --replace',
    ]);
    expect(await failure('restore', 'refused@s:/none')).toEqual([3, 'cairn: There is no /none in refused@s']);
    expect(await failure('restore', 'refused@s:/file', '/none/file')).toEqual([
      3,
      'cairn: There is no directory /none in refused: create it first',
    ]);
    expect(await failure('restore', 'refused@s:/')).toEqual([
      4,
      'cairn: The root of refused is always there: say where else to restore to, or roll the dataset back',
    ]);
    expect((await failure('restore', 'refused@s:/file', '/', '--replace'))[0]).toBe(4);
    expect(await failure('restore', 'refused@s')).toEqual([
      2,
      'cairn: refused@s does not say what to restore: write it as DATASET@SNAPSHOT:/PATH',
    ]);
    expect(await failure('restore', 'refused:/file')).toEqual([
      2,
      'cairn: refused is a dataset: say which snapshot of it',
    ]);
    expect(await names(live)).toEqual(['file']);
  });
});
