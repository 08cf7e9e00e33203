import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealServer, readFile, writeFile } from './real-server.ts';

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server.stop());

/** A dataset of its own for each test. */
async function dataset(name: string): Promise<string> {
  await server.ok('create', name);
  return name;
}

async function failure(...argv: string[]): Promise<[number, string]> {
  const { status, stderr } = await server.dataset(...argv);
  return [status, stderr.trimEnd()];
}

async function snapshotNames(...argv: string[]): Promise<string[]> {
  return (await server.ok('list-snapshots', '-H', '-o', 'name', ...argv)).split('\n').filter(Boolean);
}

describe('dataset snapshot', () => {
  it('keeps every acknowledged operation and every write that the server has, and later ones do not show', async () => {
    await dataset('keep');
    const live = await server.mount('/keep');
    await writeFile(live, 'a', 'before');
    await writeFile(live, 'gone', 'x');
    expect(await server.ok('snapshot', 'keep', 's1')).toBe('Created keep@s1\n');
    await writeFile(live, 'a', 'after');
    await live.client.remove(live.root, 'gone');
    await writeFile(live, 'new', 'y');
    for (const check of ['at once', 'after a restart']) {
      const snapshot = await server.mount('/keep@s1');
      expect(await readFile(snapshot, 'a'), check).toBe('before');
      expect(await readFile(snapshot, 'gone'), check).toBe('x');
      expect(await readFile(snapshot, 'new'), check).toBeUndefined();
      expect(await readFile(await server.mount('/keep'), 'a'), check).toBe('after');
      await server.restart();
    }
  });

  it('takes SOURCE@NAME and the published flags too', async () => {
    await dataset('spelled');
    expect(await server.ok('snapshot', 'spelled@one')).toBe('Created spelled@one\n');
    expect(await server.ok('snapshot', '--source', 'spelled', '--name', 'two')).toBe('Created spelled@two\n');
    expect(await server.ok('snapshot', '--source', 'spelled', 'three')).toBe('Created spelled@three\n');
    expect(await failure('snapshot', 'spelled@one', 'two')).toEqual([
      2,
      'cairn: There are two names: one in spelled@one, and two; give one of them',
    ]);
  });

  it('prints the record with -o json, and the time that the server took', async () => {
    await dataset('told');
    const made = await server.json('snapshot', 'told', 's', '-l', 'pr=1234', '-o', 'my:own=x', '--ttl', '2h');
    expect(made).toMatchObject({
      output_version: { command: 'cairn dataset snapshot', vers_major: 1 },
      id: 1,
      name: 'told@s',
      is_snapshot: true,
      is_readonly: true,
      referenced_bytes: 0,
      referenced_inodes: 1,
      clones: [],
      holds: [],
      properties: { 'label:pr': { value: '1234', source: 'local' }, 'my:own': { value: 'x' } },
    });
    expect(made.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.expires_at - made.created_at).toBe(7200);
    expect(made.elapsed_us).toBeGreaterThan(0);
    expect(await server.json('info', 'told@s')).toMatchObject({
      uuid: made.uuid,
      parent_uuid: made.parent_uuid,
    });
    expect((await server.json('info', 'told')).uuid).toBe(made.parent_uuid);
  });

  it('with -r keeps the nested datasets at the same moment', async () => {
    await dataset('outer');
    await dataset('outer/inner');
    await writeFile(await server.mount('/outer/inner'), 'f', 'inside');
    expect(await server.ok('snapshot', '-r', 'outer@s')).toBe('Created outer@s\nCreated outer/inner@s\n');
    expect(await readFile(await server.mount('/outer/inner@s'), 'f')).toBe('inside');
    await server.ok('snapshot', 'outer/inner', 'only');
    // One of them has it, so none is made.
    expect(await failure('snapshot', '-r', 'outer', 'only')).toEqual([
      4,
      'cairn: There is a snapshot outer/inner@only already',
    ]);
    expect(await snapshotNames('outer')).toEqual(['outer@s', 'outer/inner@s', 'outer/inner@only']);
  });

  it.each([
    [['snapshot', 'nowhere', 's'], 3, 'There is no dataset "nowhere"'],
    [['snapshot', 'root', '-s'], 2, "unknown option '-s'"],
    [['snapshot', 'root', '.hidden'], 2, 'must begin with a letter or a digit, not with "."'],
    [['snapshot', 'root', 'a/b'], 2, '"/" is not allowed'],
    [['snapshot', 'root', 's', '-o', 'quota=1GiB'], 2, 'with a colon in the name, not "quota"'],
    [['snapshot', 'root', 's', '-l', 'pr'], 2, 'The label pr has no value: give it as pr=VALUE'],
    [['snapshot', 'root', 's', '--ttl', 'soon'], 2, '--ttl must be a duration'],
    [['snapshot', 'root'], 2, 'The name is missing'],
  ])('%j is refused', async (argv, status, sentence) => {
    const [code, message] = await failure(...argv);
    expect([code, message.includes(sentence)], message).toEqual([status, true]);
  });
});

describe('dataset list-snapshots', () => {
  it('lists one dataset, those with a label, or all; the oldest first, or sorted', async () => {
    await dataset('listed');
    await server.ok('snapshot', 'listed', 'zebra', '-l', 'pr=1');
    await server.ok('snapshot', 'listed', 'ant', '-l', 'pr=2', '-l', 'keep=yes');
    expect(await snapshotNames('listed')).toEqual(['listed@zebra', 'listed@ant']);
    expect(await snapshotNames('listed', '-s', 'name')).toEqual(['listed@ant', 'listed@zebra']);
    expect(await snapshotNames('-l', 'pr=2')).toEqual(['listed@ant']);
    expect(await snapshotNames('listed', '-l', 'pr')).toEqual(['listed@zebra', 'listed@ant']);
    expect(await snapshotNames('listed', '-l', 'pr', '-l', 'keep=no')).toEqual([]);
    expect(await snapshotNames()).toContain('listed@ant');
    expect(await server.ok('list', '-t', 'snapshot', '-H', '-o', 'name,label:pr', 'listed')).toBe(
      'listed@zebra\t1\nlisted@ant\t2\n',
    );
    const { snapshots } = await server.json('list', '-t', 'snapshot', 'listed', '-l', 'pr=1');
    expect(snapshots).toMatchObject([{ name: 'listed@zebra', is_snapshot: true }]);
  });
});

describe('dataset delete-snapshot', () => {
  it('takes one, a range by age, or all with a label; --dry-run only says so', async () => {
    await dataset('gone');
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await server.ok('snapshot', 'gone', name, '-l', `odd=${'ace'.includes(name)}`);
    }
    expect(await server.ok('delete-snapshot', 'gone@b%c', '--dry-run')).toMatch(
      /^Would delete gone@b\nWould delete gone@c\nWould give back /,
    );
    expect(await server.json('delete-snapshot', 'gone@b%c')).toMatchObject({
      dry_run: false,
      names: ['gone@b', 'gone@c'],
    });
    expect(await snapshotNames('gone')).toEqual(['gone@a', 'gone@d', 'gone@e', 'gone@f']);
    expect(await server.ok('delete-snapshot', '-l', 'odd=true', 'gone')).toMatch(
      /^Deleted gone@a\nDeleted gone@e\n/,
    );
    await server.ok('delete-snapshot', 'gone@%d');
    await server.ok('delete', 'gone@f');
    expect(await snapshotNames('gone')).toEqual([]);
    expect(await failure('delete-snapshot', 'gone@f')).toEqual([3, 'cairn: There is no snapshot gone@f']);
  });

  it('refuses a range that runs backwards', async () => {
    await dataset('backwards');
    for (const name of ['a', 'b']) await server.ok('snapshot', 'backwards', name);
    expect(await failure('delete-snapshot', 'backwards@b%a')).toEqual([
      2,
      'cairn: backwards@b%a is no range: a is older than b',
    ]);
  });

  it('makes its handles stale, and never gives its id again', async () => {
    await dataset('ids');
    await server.ok('snapshot', 'ids', 's');
    const snapshot = await server.mount('/ids@s');
    await server.ok('delete-snapshot', 'ids@s');
    expect((await snapshot.client.getattr(snapshot.root)).status).toBe(70);
    await server.restart();
    expect((await server.json('snapshot', 'ids', 's')).id).toBe(2);
  });

  it('takes a bare name when one dataset has it, and else says which there are', async () => {
    await dataset('bare1');
    await dataset('bare2');
    await server.ok('snapshot', 'bare1', 'common');
    await server.ok('snapshot', 'bare2', 'common');
    await server.ok('snapshot', 'bare2', 'single');
    expect(await server.ok('delete-snapshot', '--name', 'single')).toMatch(/^Deleted bare2@single\n/);
    expect(await failure('delete-snapshot', 'common')).toEqual([
      2,
      'cairn: Several datasets have a snapshot common; which of bare1@common, bare2@common?',
    ]);
    expect(await failure('delete-snapshot', 'single')).toEqual([
      3,
      'cairn: There is no snapshot single of any dataset',
    ]);
  });
});

describe('a hold', () => {
  it('keeps a snapshot, and its dataset, from being deleted until it is released', async () => {
    await dataset('held');
    await server.ok('snapshot', 'held', 's');
    await server.ok('hold', 'held@s', 'backup');
    // As with `zfs hold`, the tag may come first.
    await server.ok('hold', 'audit', 'held@s');
    expect(await server.ok('holds', 'held@s')).toBe('backup\naudit\n');
    expect(await failure('hold', 'held@s', 'audit')).toEqual([4, 'cairn: held@s is held by audit already']);
    await server.restart();
    for (const argv of [
      ['delete-snapshot', 'held@s'],
      ['delete-snapshot', 'held@s', '--dry-run'],
    ]) {
      expect(await failure(...argv)).toEqual([
        5,
        'cairn: Cannot delete held@s: it is held by backup, audit; release it first',
      ]);
    }
    const [status, message] = await failure('delete', 'held');
    expect([status, message]).toEqual([
      5,
      'cairn: Cannot delete held: held@s is held; "cairn dataset holds" says by whom',
    ]);
    await server.ok('release', 'held@s', 'backup');
    expect(await failure('release', 'held@s', 'backup')).toEqual([
      3,
      'cairn: held@s is not held by "backup"',
    ]);
    await server.ok('release', 'held@s', 'audit');
    expect(await server.ok('delete', 'held', '--dry-run')).toMatch(
      /^Would delete held\nWould delete held@s\n/,
    );
    await server.ok('delete', 'held');
    expect(await snapshotNames()).not.toContain('held@s');
  });
});

describe('a snapshot', () => {
  it('gets another name, and stays with its dataset', async () => {
    await dataset('moved');
    await server.ok('snapshot', 'moved', 'old');
    await writeFile(await server.mount('/moved'), 'f', 'x');
    expect(await server.ok('rename', 'moved@old', 'new')).toBe('Renamed moved@old to moved@new\n');
    expect(await failure('rename', 'moved@new', 'root@new')).toEqual([
      2,
      'cairn: Cannot rename moved@new to root@new: a snapshot stays with its dataset',
    ]);
    await server.ok('rename', 'moved', 'moved2');
    expect(await snapshotNames('moved2')).toEqual(['moved2@new']);
    expect(await readFile(await server.mount('/moved2@new'), 'f')).toBeUndefined();
  });

  it('has a full name of at most 255 bytes, also when its dataset is renamed', async () => {
    const long = 's'.repeat(240);
    await dataset('short');
    await server.ok('snapshot', 'short', long);
    const [status, message] = await failure('rename', 'short', 'a-name-that-is-longer');
    expect([status, message]).toEqual([
      2,
      expect.stringContaining('it has 262 bytes, at most 255 are allowed'),
    ]);
    expect((await failure('snapshot', 'short', `${long}-longer-still`))[0]).toBe(2);
  });

  it('has user properties', async () => {
    await dataset('proper');
    await server.ok('snapshot', 'proper', 's');
    await server.ok('set', 'proper@s', 'my:key=value', 'label:pr=7');
    expect(await server.ok('get', '-H', 'proper@s', 'type', 'my:key', 'label:pr')).toBe(
      'proper@s\ttype\tsnapshot\t-\nproper@s\tmy:key\tvalue\tlocal\nproper@s\tlabel:pr\t7\tlocal\n',
    );
    expect((await failure('set', 'proper@s', 'readonly=off'))[0]).toBe(2);
    await server.ok('inherit', 'proper@s', 'my:key');
    await server.restart();
    expect((await server.json('info', 'proper@s')).properties).toEqual({
      'label:pr': { value: '7', source: 'local' },
    });
  });
});

describe('dataset list -t all', () => {
  it('has each dataset with its snapshots behind it, and a dash where one has no such value', async () => {
    await dataset('every');
    await dataset('every/nested');
    await server.ok('snapshot', '-r', 'every', 'one');
    await server.ok('snapshot', 'every@two', '-l', 'pr=1');
    const names = ['every', 'every@one', 'every@two', 'every/nested', 'every/nested@one'];
    const listed = async (...argv: string[]) => server.ok('list', '-H', ...argv, 'every');
    expect(await listed('-t', 'all', '-o', 'name')).toBe(`${names.join('\n')}\n`);
    expect(await listed('-t', 'snapshot,filesystem', '-o', 'name')).toBe(`${names.join('\n')}\n`);
    const [header] = (await server.ok('list', '-t', 'all', 'every')).split('\n');
    expect(header).toMatch(/^NAME +USED +AVAIL +REFER +TYPE$/);
    const rows = (await listed('-t', 'all', '-o', 'type,quota,holds,avail')).split('\n');
    expect(rows[0]).toMatch(/^filesystem\t-\t-\t\d/);
    expect(rows[1]).toBe('snapshot\t-\t-\t-');
    expect(await listed('-t', 'all', '-o', 'name', '-l', 'pr=1')).toBe('every@two\n');
    expect(await listed('-t', 'all', '-o', 'name', '-S', 'avail', '-s', 'name')).toMatch(/^every\n[^@]+\n/);
    const { datasets, snapshots } = await server.json('list', '-t', 'all', 'every');
    expect([datasets.length, snapshots.length]).toEqual([2, 3]);
    expect(await failure('list', '-t', 'volume')).toEqual([
      2,
      'cairn: -t must be filesystem, snapshot or all, not "volume"',
    ]);
  });
});

describe('completion', () => {
  const complete = async (...words: string[]) =>
    (await server.cairn('complete', '--', 'dataset', ...words)).split('\n').filter(Boolean);

  it('has the snapshots of the dataset that is typed, where a snapshot can be meant', async () => {
    await dataset('typed');
    await dataset('typed/nested');
    for (const name of ['before', 'between', 'later']) await server.ok('snapshot', '-r', 'typed', name);
    for (const verb of ['delete-snapshot', 'rollback', 'hold', 'release', 'holds', 'clone', 'info', 'diff'])
      expect(await complete(verb, 'typed@be'), verb).toEqual(['typed@before', 'typed@between']);
    expect(await complete('rollback', 'typed')).toEqual(['typed@', 'typed/nested@']);
    expect(await complete('clone', 'typed')).toEqual(['typed', 'typed/nested']);
    expect(await complete('diff', 'typed@before', 'typed@b')).toEqual(['typed@before', 'typed@between']);
    expect(await complete('restore', 'typed@later')).toEqual(['typed@later:']);
    expect(await complete('set-default', 'typed@')).toEqual([]);
    expect(await complete('hold', 'typed@later', '')).toEqual([]);
  });
});
