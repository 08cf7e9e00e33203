import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFile, entry, lookup, MOUNT, Mount, mkdir, mnt, modeChange, Nfs, nfs } from './calls.ts';
import { counted, type RawClient, words } from './raw-client.ts';
import { OPEN_TO_ALL, ServedVolume } from './served-volume.ts';

const [OK, NOENT, ACCES, NOTDIR, NAMETOOLONG] = [0, 2, 13, 20, 63];

let served: ServedVolume;
let client: RawClient;

beforeAll(async () => {
  served = await ServedVolume.start();
  for (const name of ['projects', 'projects/cairn', 'projects/cairn/deep', 'other']) {
    await served.datasets.create(name, {});
  }
  client = await served.client();
  const root = await rootOf('/root');
  await mkdir(client, await mkdir(client, root, 'dir'), 'sub');
  await mkdir(client, root, 'other');
  await mkdir(client, root, 'shadowed');
  await createFile(client, root, 'file');
  await mkdir(client, await rootOf('/projects'), 'src');
});

afterAll(() => served.stop());

async function rootOf(path: string): Promise<Buffer> {
  const { status, handle } = await mnt(client, path);
  if (status !== 0) throw new Error(`MNT of ${path} was answered ${status}`);
  return handle;
}

const ask = (procedure: number, args?: Buffer) => client.call(MOUNT, 3, procedure, args);

/** Entries of a list: a true before each, a false at the end. */
function listOf(body: Buffer): { read(): string; more(): boolean; done(): boolean } {
  let at = 0;
  return {
    more() {
      at += 4;
      return body.readUInt32BE(at - 4) === 1;
    },
    read() {
      const length = body.readUInt32BE(at);
      const text = body.toString('latin1', at + 4, at + 4 + length);
      at += 4 + ((length + 3) & ~3);
      return text;
    },
    done: () => at === body.length,
  };
}

async function dumped(): Promise<string[]> {
  const list = listOf((await ask(Mount.dump)).body);
  const found: string[] = [];
  while (list.more()) found.push(`${list.read()}:${list.read()}`);
  expect(list.done()).toBe(true);
  return found;
}

async function exported(): Promise<Record<string, string[]>> {
  const list = listOf((await ask(Mount.export)).body);
  const found: Record<string, string[]> = {};
  while (list.more()) {
    const groups: string[] = [];
    found[list.read()] = groups;
    while (list.more()) groups.push(list.read());
  }
  expect(list.done()).toBe(true);
  return found;
}

describe('MNT', () => {
  it('gives the handle of a directory, and the flavors AUTH_SYS and AUTH_NONE', async () => {
    const { status, handle, flavors } = await mnt(client, '/root');
    expect([status, flavors]).toEqual([OK, [1, 0]]);
    const attributes = await nfs(client, Nfs.getattr, counted(handle));
    expect(attributes.status).toBe(OK);
    expect(attributes.body.readUInt32BE(4)).toBe(2);
  });

  it('gives the same handle each time, and the one that LOOKUP gives', async () => {
    const root = await rootOf('/root');
    expect(await rootOf('/root')).toEqual(root);
    expect(await rootOf('/root/dir')).toEqual(await lookup(client, root, 'dir'));
  });

  it('takes / for the default dataset, whichever that is, and /root always for dataset 0', async () => {
    const [root, projects] = [await rootOf('/root'), await rootOf('/projects')];
    expect(projects).not.toEqual(root);
    expect(await rootOf('/')).toEqual(root);
    await served.datasets.setDefault('projects');
    try {
      expect(await rootOf('/')).toEqual(projects);
      expect(await rootOf('/root')).toEqual(root);
      expect(await rootOf('/src')).toEqual(await lookup(client, projects, 'src'));
    } finally {
      await served.datasets.setDefault('root');
    }
  });

  it.each([
    ['projects', '/projects'],
    ['/projects/', '/projects'],
    ['//projects//cairn', '/projects/cairn'],
    ['', '/root'],
    ['///', '/root'],
    ['/.', '/root'],
    ['dir/sub', '/root/dir/sub'],
  ])('takes %j for %s', async (path, same) => {
    expect(await rootOf(path)).toEqual(await rootOf(same));
  });

  it('walks below the longest dataset name', async () => {
    const cairn = await rootOf('/projects/cairn');
    expect(await rootOf('/projects/src')).toEqual(await lookup(client, await rootOf('/projects'), 'src'));
    expect((await mnt(client, '/projects/cairn/src')).status).toBe(NOENT);
    const made = await mkdir(client, cairn, 'inside');
    expect(await rootOf('/projects/cairn/inside')).toEqual(made);
  });

  it('prefers a dataset to a directory of the default dataset', async () => {
    const directory = await lookup(client, await rootOf('/root'), 'other');
    expect(await rootOf('/other')).not.toEqual(directory);
    expect(await rootOf('/root/other')).toEqual(directory);
  });

  it('enters a nested dataset at its directory', async () => {
    await served.datasets.setDefault('projects');
    try {
      expect(await rootOf('/cairn')).toEqual(await rootOf('/projects/cairn'));
      expect(await rootOf('/cairn/deep')).toEqual(await rootOf('/projects/cairn/deep'));
      expect(await rootOf('/src/../cairn')).toEqual(await rootOf('/projects/cairn'));
    } finally {
      await served.datasets.setDefault('root');
    }
  });

  it('does not leave a dataset by its ..', async () => {
    const cairn = await rootOf('/projects/cairn');
    expect(await rootOf('/projects/cairn/..')).toEqual(cairn);
    expect(await rootOf('/projects/cairn/../../..')).toEqual(cairn);
  });

  it('takes names as bytes', async () => {
    const root = await rootOf('/root');
    const name = Buffer.from([0xff, 0xc3, 0x28]);
    const args = Buffer.concat([counted(root), counted(name), words(0, 0, 0, 0, 0, 0)]);
    expect((await nfs(client, Nfs.mkdir, args)).status).toBe(OK);
    const path = Buffer.concat([Buffer.from('/root/'), name]);
    expect((await mnt(client, path)).status).toBe(OK);
    expect(await dumped()).toContain(`127.0.0.1:${path.toString('latin1')}`);
  });

  it('answers NOENT, NOTDIR, NAMETOOLONG and ACCES', async () => {
    const status = async (path: string) => (await mnt(client, path)).status;
    expect(await status('/nothing')).toBe(NOENT);
    expect(await status('/root/dir/nothing/more')).toBe(NOENT);
    expect(await status('/root/file')).toBe(NOTDIR);
    expect(await status('/root/file/more')).toBe(NOTDIR);
    expect(await status(`/root/${'n'.repeat(256)}`)).toBe(NAMETOOLONG);
    expect(await status('/root/a\0b')).toBe(ACCES);
  });

  it('walks as the caller', async () => {
    const closed = await mkdir(client, await rootOf('/root'), 'closed');
    await mkdir(client, closed, 'inner');
    const args = Buffer.concat([counted(closed), modeChange(0o700), words(0)]);
    expect((await nfs(client, Nfs.setattr, args)).status).toBe(OK);
    expect((await mnt(client, '/root/closed/inner')).status).toBe(OK);
    expect((await mnt(client, '/root/closed/inner', { uid: 1000, gid: 1000 })).status).toBe(ACCES);
    expect((await mnt(client, '/root/closed/inner', { anonymous: true })).status).toBe(ACCES);
    expect((await mnt(client, '/root/closed', { anonymous: true })).status).toBe(OK);
  });

  it('takes paths of 1,024 bytes and no longer ones', async () => {
    const path = (bytes: number) => `/root/dir${'/'.repeat(bytes - '/root/dir'.length)}`;
    expect((await mnt(client, path(1024))).status).toBe(OK);
    expect(await ask(Mount.mnt, counted(Buffer.from(path(1025))))).toMatchObject({ status: 'GARBAGE_ARGS' });
  });

  it('gives a handle that is stale once the dataset is deleted, and does not find it again', async () => {
    await served.datasets.create('brief', {});
    const handle = await rootOf('/brief');
    await served.datasets.delete('brief', false);
    expect((await nfs(client, Nfs.getattr, counted(handle))).status).toBe(70);
    expect((await mnt(client, '/brief')).status).toBe(NOENT);
  });
});

describe('DUMP, UMNT and UMNTALL', () => {
  it('list what each address has mounted, and forget it', async () => {
    await ask(Mount.umntall);
    expect(await dumped()).toEqual([]);
    await rootOf('/root/dir');
    await rootOf('root/dir/');
    await rootOf('/projects');
    await mnt(client, '/nothing');
    expect(await dumped()).toEqual(['127.0.0.1:/root/dir', '127.0.0.1:/projects']);
    expect(served.server.clients()[0]?.mounts).toEqual(['/root/dir', '/projects']);
    expect(await ask(Mount.umnt, counted(Buffer.from('/root/dir//')))).toMatchObject({
      status: 'SUCCESS',
      body: Buffer.alloc(0),
    });
    expect(await dumped()).toEqual(['127.0.0.1:/projects']);
    expect(await ask(Mount.umntall)).toMatchObject({ status: 'SUCCESS', body: Buffer.alloc(0) });
    expect(await dumped()).toEqual([]);
  });

  it('take an UMNT of what was never mounted', async () => {
    expect(await ask(Mount.umnt, counted(Buffer.from('/never')))).toMatchObject({ status: 'SUCCESS' });
  });
});

describe('the program', () => {
  it('answers NULL, has versions, and no procedure 6', async () => {
    expect(await ask(Mount.null)).toMatchObject({ status: 'SUCCESS', body: Buffer.alloc(0) });
    expect(await client.call(MOUNT, 1, 1, counted(Buffer.from('/')))).toMatchObject({
      status: 'PROG_MISMATCH',
      body: words(3, 3),
    });
    expect(await ask(6)).toMatchObject({ status: 'PROC_UNAVAIL' });
  });
});

describe('exports', () => {
  const rules = (...given: Partial<typeof OPEN_TO_ALL>[]) =>
    served.server.exports.reload(given.map((rule) => ({ ...OPEN_TO_ALL, ...rule })));

  it('show each caller what concerns it, with the networks of the rule', async () => {
    rules(
      { networks: ['192.0.2.0/24'], datasets: ['other'] },
      { networks: ['127.0.0.0/8', '::1'], datasets: ['projects'] },
    );
    const groups = ['127.0.0.0/8', '::1'];
    expect(await exported()).toEqual({
      '/projects': groups,
      '/projects/cairn': groups,
      '/projects/cairn/deep': groups,
    });
    rules({});
    expect(await exported()).toEqual({
      '/': ['*'],
      '/root': ['*'],
      '/other': ['*'],
      '/projects': ['*'],
      '/projects/cairn': ['*'],
      '/projects/cairn/deep': ['*'],
    });
  });

  it('refuse a mount of what is not exported, without telling whether it is there', async () => {
    rules({ datasets: ['projects/cairn'] });
    expect((await mnt(client, '/projects/cairn')).status).toBe(OK);
    expect((await mnt(client, '/projects')).status).toBe(ACCES);
    expect((await mnt(client, '/root/dir')).status).toBe(ACCES);
    expect((await mnt(client, '/root/nothing')).status).toBe(ACCES);
    rules({});
  });

  it('let the first rule that has address and dataset decide, also for what is nested', async () => {
    rules({ datasets: ['projects/cairn'], networks: ['192.0.2.1'] }, { datasets: ['projects'] });
    await served.datasets.setDefault('projects');
    try {
      expect((await mnt(client, '/cairn')).status).toBe(OK);
      rules({ datasets: ['projects/cairn'], secure: true }, { datasets: ['projects'] });
      expect((await mnt(client, '/')).status).toBe(OK);
      expect((await mnt(client, '/cairn')).status).toBe(ACCES);
      expect((await mnt(client, '/projects/cairn')).status).toBe(ACCES);
    } finally {
      await served.datasets.setDefault('root');
      rules({});
    }
  });

  it('refuse source ports from 1024 on where they are `secure`, and say in the log what to do', async () => {
    const before = served.log.lines.length;
    rules({ secure: true });
    expect((await mnt(client, '/')).status).toBe(ACCES);
    expect((await mnt(client, '/root')).status).toBe(ACCES);
    const said = served.log.lines.slice(before);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('--insecure-ports');
    rules({});
    expect((await mnt(client, '/')).status).toBe(OK);
  });

  it('count on every call of a mounted client, in both directions', async () => {
    const root = await rootOf('/root');
    const status = async (procedure: number, args: Buffer) => (await nfs(client, procedure, args)).status;
    const remove = entry(root, 'not there');
    expect(await status(Nfs.getattr, counted(root))).toBe(OK);
    expect(await status(Nfs.remove, remove)).toBe(NOENT);
    rules({ access: 'ro' });
    expect(await status(Nfs.getattr, counted(root))).toBe(OK);
    expect(await status(Nfs.remove, remove)).toBe(30);
    rules({ networks: ['192.0.2.1'] });
    expect(await status(Nfs.getattr, counted(root))).toBe(ACCES);
    expect(await status(Nfs.remove, remove)).toBe(ACCES);
    rules({});
    expect(await status(Nfs.getattr, counted(root))).toBe(OK);
  });

  it('make root nobody, and everybody one', async () => {
    const root = await rootOf('/root');
    const ownerOfNew = async (name: string, uid: number) => {
      const { body } = await nfs(client, Nfs.create, createArgs(root, name), { uid, gid: uid });
      return body.readUInt32BE(0) === OK ? body.readUInt32BE(8 + 4 + 36 + 4 + 12) : -body.readUInt32BE(0);
    };
    const wide = Buffer.concat([counted(root), modeChange(0o777), words(0)]);
    expect((await nfs(client, Nfs.setattr, wide)).status).toBe(OK);
    expect(await ownerOfNew('a', 0)).toBe(0);
    rules({ squash: 'root', anonuid: 77 });
    expect(await ownerOfNew('b', 0)).toBe(77);
    expect(await ownerOfNew('c', 1000)).toBe(1000);
    rules({ squash: 'all', anonuid: 78 });
    expect(await ownerOfNew('d', 1000)).toBe(78);
    rules({});
  });
});

/** CREATE, UNCHECKED, with nothing set. */
function createArgs(directory: Buffer, name: string): Buffer {
  return Buffer.concat([entry(directory, name), words(0, 0, 0, 0, 0, 0, 0)]);
}
