import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminClient } from '../../../src/admin/grpc/admin-client.ts';
import { systemClock } from '../../../src/clock.ts';
import { madeBy } from '../../nfs/nfs3/nfs3-client.ts';
import { type Mounted, RealServer, writeFile } from '../real-server.ts';

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server.stop());

async function dataset(name: string): Promise<Mounted> {
  await server.ok('create', name);
  return server.mount(`/${name}`);
}

/** Without what follows a path in brackets, in the order of paths. */
async function told(...argv: string[]): Promise<string[]> {
  const lines = (await server.ok('diff', ...argv)).split('\n').filter(Boolean);
  return lines.map((line) => line.replace(/ {2}\(.*/, '')).sort();
}

async function failure(...argv: string[]): Promise<[number, string]> {
  const { status, stderr } = await server.dataset(...argv);
  return [status, stderr.trimEnd()];
}

describe('dataset diff', () => {
  it('tells what was added, removed, modified and renamed since a snapshot, unflushed writes included', async () => {
    const live = await dataset('since');
    const { client, root } = live;
    const directory = await madeBy(client.mkdir(root, 'dir'));
    await writeFile({ client, root: directory }, 'inside', 'x');
    for (const name of ['kept', 'gone', 'changed', 'old']) await writeFile(live, name, name);
    await server.ok('snapshot', 'since', 's');
    await client.remove(root, 'gone');
    await writeFile(live, 'changed', 'else');
    await client.rename(root, 'old', root, 'new');
    await client.rename(root, 'dir', root, 'folder');
    await writeFile(live, 'come', 'x');
    const changes = ['+  F  /come', '-  F  /gone', 'M  /  /', 'M  F  /changed'];
    const renamed = ['R  /  /dir -> /folder', 'R  F  /old -> /new'];
    expect(await told('since@s')).toEqual([...changes, ...renamed]);
    expect(await told('since@s', 'since')).toEqual([...changes, ...renamed]);
    await server.ok('snapshot', 'since', 't');
    expect(await told('since@s', 'since@t')).toEqual([...changes, ...renamed]);
    expect(await told('t', 's')).toEqual([
      '+  F  /gone',
      '-  F  /come',
      'M  /  /',
      'M  F  /changed',
      'R  /  /folder -> /dir',
      'R  F  /new -> /old',
    ]);
    expect(await told('since@t')).toEqual([]);
  });

  it('says what of a file is other, which bytes where asked, and how many names it has', async () => {
    const { client, root } = await dataset('details');
    const file = await writeFile({ client, root }, 'file', 'x'.repeat(20_000));
    await server.ok('snapshot', 'details', 's');
    await client.write(file, 10_000n, Buffer.from('changed'), 0);
    await client.setattr(file, { mode: 0o640 });
    await client.link(file, root, 'second');
    const out = (await server.ok('diff', 'details@s', '--ranges')).split('\n');
    expect(out).toContain('M  F  /file  (data, mode, mtime, ctime, links 1 to 2)');
    expect(out).toContain('      7 bytes at 10000');
    expect(out).toContain('+  F  /second  (links 1 to 2)');
    const { changes } = await server.json('diff', 'details@s', '--ranges');
    expect(changes).toContainEqual({
      kind: 'modified',
      type: 'file',
      inode: 2,
      path: '/file',
      data: true,
      attributes: ['mode', 'mtime', 'ctime'],
      links: { before: 1, after: 2 },
      ranges: [{ offset: 10_000, length: 7 }],
    });
  });

  it('writes names as they are with --null, and so that a terminal shows them without it', async () => {
    const { client, root } = await dataset('names');
    await server.ok('snapshot', 'names', 's');
    await client.setattr(await writeFile({ client, root }, 'a\nb', 'x'), { mode: 0o600 });
    expect(await told('names@s')).toEqual(['+  F  /a\\012b', 'M  /  /']);
    expect(await server.ok('diff', 'names@s', '-z')).toBe('M\0/\0+\0/a\nb\0');
  });

  it('compares what has a common origin and what has none', async () => {
    const live = await dataset('one');
    await writeFile(live, 'file', 'x');
    await writeFile(await dataset('other'), 'else', 'x');
    expect(await told('one', 'other')).toEqual(['+  F  /else', '-  F  /file', 'M  /  /']);
  });

  it('goes on with what changes, for one who watches', async () => {
    const live = await dataset('watched');
    await server.ok('snapshot', 'watched', 's');
    await writeFile(live, 'first', 'x');
    const client = new AdminClient(server.socket, systemClock);
    const paths: string[] = [];
    try {
      for await (const { changes } of client.diff({
        from: 'watched@s',
        to: '',
        ranges: false,
        watch: true,
      })) {
        paths.push(...changes.map(({ path }) => path.toString()).filter((path) => path !== '/'));
        if (paths.includes('/second')) break;
        await writeFile(live, 'second', 'x');
      }
    } finally {
      client.close();
    }
    expect(paths).toEqual(['/first', '/second']);
  });

  it('leaves nothing behind of the moment that it took', async () => {
    const live = await dataset('moment');
    await writeFile(live, 'file', 'x');
    await server.ok('snapshot', 'moment', 's');
    await told('moment@s');
    await server.ok('delete-snapshot', 'moment@s');
    expect(await server.cairn('check')).toContain('nothing is wrong');
  });

  it('refuses what cannot be compared', async () => {
    await dataset('refused');
    await server.ok('snapshot', 'refused', 's');
    expect(await failure('diff', 'refused')).toEqual([
      2,
      'cairn: refused is a dataset: with what shall it be compared?',
    ]);
    expect(await failure('diff', 'refused@none')).toEqual([3, 'cairn: There is no snapshot refused@none']);
    expect(await failure('diff', 'refused', 'refused@s', '--watch')).toEqual([
      2,
      'cairn: refused@s is a snapshot: nothing changes there',
    ]);
  });
});
