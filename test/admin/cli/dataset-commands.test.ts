import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Served } from '../served.ts';
import { CommandLine, type CommandResult } from './command-line.ts';

const GIB = 2 ** 30;

let served: Served;
let line: CommandLine;
const cairn = (...argv: string[]): Promise<CommandResult> => line.run('dataset', ...argv);

async function ok(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await cairn(...argv);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

beforeEach(async () => {
  served = await Served.start();
  line = new CommandLine({ environment: { CAIRN_ADMIN_SOCKET: served.socket } });
});
afterEach(() => served.stop());

describe('dataset create', () => {
  it('makes a dataset', async () => {
    expect(await ok('create', 'a')).toBe('Created a\n');
    expect(served.datasets.get('a')).toBeDefined();
  });

  it('passes owner, mode, limits and properties on', async () => {
    await ok(
      'create',
      'a',
      '--owner',
      '1000:100',
      '--mode',
      '0775',
      '--readonly',
      '--quota',
      '10GiB',
      '-o',
      'x:y=1=2',
    );
    expect(served.datasets.created).toEqual({
      readonly: true,
      mode: 0o775,
      uid: 1000,
      gid: 100,
      properties: { 'x:y': '1=2', quota: '10GiB' },
    });
    await ok('create', 'b', '--owner', '7', '-o', 'quota=1GB', '-o', 'snapdir=visible');
    expect(served.datasets.created).toMatchObject({
      uid: 7,
      gid: 0,
      properties: { quota: '1GB', snapdir: 'visible' },
    });
  });

  it('prints the record with -o json', async () => {
    expect(JSON.parse(await ok('create', 'a', '-o', 'json', '-o', 'quota=5'))).toMatchObject({
      output_version: { command: 'cairn dataset create', vers_major: 1, vers_minor: 0 },
      name: 'a',
      quota: 5,
    });
  });

  it.each([
    [
      ['create'],
      2,
      'cairn: The name is missing: give it as in "cairn dataset create NAME", or with --name\n',
    ],
    [['create', 'a', '--name', 'b'], 2, 'cairn: There are two names: a, and b by --name; give one of them\n'],
    [['create', 'a', 'b'], 2, "cairn: too many arguments for 'create'. Expected 1 argument but got 2.\n"],
    [
      ['create', 'a', '--owner', 'me'],
      2,
      'cairn: --owner must be UID or UID:GID, both numbers up to 4294967294, not "me"\n',
    ],
    [
      ['create', 'a', '--owner', '4294967295'],
      2,
      'cairn: --owner must be UID or UID:GID, both numbers up to 4294967294, not "4294967295"\n',
    ],
    [
      ['create', 'a', '--mode', '0988'],
      2,
      'cairn: --mode must be an octal number up to 7777, such as 0755, not "0988"\n',
    ],
    [['create', 'a', '-o', 'quota'], 2, 'cairn: "quota" is no PROPERTY=VALUE, such as quota=10GiB\n'],
    [['create', 'a', '-o', 'quota=1', '--quota', '2'], 2, 'cairn: The property quota is given twice\n'],
    [
      ['create', 'a', '-o', 'quota=lots'],
      2,
      expect.stringMatching(/^cairn: quota is a size or none: "lots" is no size/),
    ],
    [['create', 'a', '--qouta', '1'], 2, "cairn: unknown option '--qouta'\n(Did you mean --quota?)\n"],
    [['create', '-x'], 2, "cairn: unknown option '-x'\n"],
    [['creat', 'a'], 2, "cairn: unknown command 'creat'\n(Did you mean create?)\n"],
    [['create', 'root'], 4, 'cairn: Cannot create root: there is one already\n'],
    [['create', 'no/such'], 3, 'cairn: There is no dataset no\n'],
    [['create', '.snapshots'], 2, expect.stringMatching(/^cairn: "\.snapshots" is no valid name: /)],
  ])('%j exits with %i and one sentence', async (argv, status, stderr) => {
    expect(await cairn(...(argv as string[]))).toEqual({ status, stdout: '', stderr });
    expect(served.datasets.list()).toHaveLength(1);
  });
});

describe('the published spelling', () => {
  it('works for each verb: -c FILE --name X', async () => {
    const file = join(served.directory, 'config.toml');
    writeFileSync(file, 'admin_socket = "admin.sock"\n');
    line = new CommandLine();
    expect(await ok('create', '-c', file, '--name', 'my-subvol')).toBe('Created my-subvol\n');
    expect(await ok('list', '-c', file, '-H', '-o', 'name')).toBe('root\nmy-subvol\n');
    expect(await ok('info', '-c', file, '--name', 'my-subvol')).toMatch(/^name: +my-subvol$/m);
    expect(await ok('set-default', '-c', file, '--name', 'my-subvol')).toBe(
      'The default dataset is my-subvol\n',
    );
    expect(await ok('get-default', '-c', file)).toBe('my-subvol\n');
    await ok('set-default', '-c', file, '--name', 'root');
    expect(await ok('delete', '-c', file, '--name', 'my-subvol')).toMatch(/^Deleted my-subvol\n/);
  });
});

describe('dataset list', () => {
  beforeEach(async () => {
    await ok('create', 'projects', '--quota', '10GiB', '-o', 'backup:policy=daily');
    await ok('create', 'projects/cairn', '--readonly');
    Object.assign(served.datasets.rows.get('projects')!, { usedBytes: 1.46 * GIB, usedInodes: 1234 });
  });

  it('is aligned as zfs list is', async () => {
    expect(await ok('list')).toBe(
      [
        'NAME             USED  AVAIL  QUOTA  INODES  READONLY',
        'root               0B  1.00T      -       1  off',
        'projects        1.46G  8.54G  10.0G    1234  off',
        'projects/cairn     0B  1.00T      -       1  on',
        '',
      ].join('\n'),
    );
  });

  it('prints tabs without a header for scripts, and exact numbers', async () => {
    expect(await ok('list', '-Hp', '-o', 'name,used,quota')).toBe(
      `root\t0\t0\nprojects\t${Math.round(1.46 * GIB)}\t${10 * GIB}\nprojects/cairn\t0\t0\n`,
    );
  });

  it('takes other names of columns, and user properties', async () => {
    expect(await ok('list', '-H', '-o', 'name,available,created,backup:policy', 'projects')).toBe(
      'projects\t8.54G\t2026-09-21 14:13:20 UTC\tdaily\nprojects/cairn\t1.00T\t2026-09-21 14:13:20 UTC\tdaily\n',
    );
  });

  it('sorts by columns, forwards and backwards', async () => {
    expect(await ok('list', '-H', '-o', 'name', '-S', 'used', '-s', 'name')).toBe(
      'projects\nprojects/cairn\nroot\n',
    );
    expect(await ok('list', '-H', '-o', 'name', '-s', 'used', '-S', 'name')).toBe(
      'root\nprojects/cairn\nprojects\n',
    );
  });

  it('refuses a column that there is not, with those that there are', async () => {
    expect(await cairn('list', '-o', 'name,quta')).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'cairn: There is no column "quta"; did you mean "quota"? The columns are name, used, refer, usedsnap, avail, quota, ' +
        'refquota, reservation, inodes, readonly, default, origin, type, creation, id, uuid, generation\n',
    });
    expect((await cairn('list', '-s', 'size')).stderr).toMatch(
      /^cairn: There is no column "size"\. The columns are name, /,
    );
  });

  it('is JSON with a version and stable keys', async () => {
    const { output_version, datasets } = JSON.parse(await ok('list', '-o', 'json', '-s', 'used'));
    expect(output_version).toEqual({ command: 'cairn dataset list', vers_major: 1, vers_minor: 0 });
    expect(datasets.map((dataset: { name: string }) => dataset.name)).toEqual([
      'root',
      'projects/cairn',
      'projects',
    ]);
    expect(Object.keys(datasets[0])).toEqual(INFO_KEYS);
  });
});

const INFO_KEYS = [
  'id',
  'name',
  'uuid',
  'parent_id',
  'parent_uuid',
  'root_inode',
  'created_at',
  'is_readonly',
  'is_snapshot',
  'generation',
  'flags',
  'kind',
  'is_default',
  'used_bytes',
  'used_inodes',
  'referenced_bytes',
  'live_bytes',
  'snapshot_bytes',
  'clone_bytes',
  'stored_bytes',
  'pending_bytes',
  'available',
  'quota',
  'refquota',
  'reservation',
  'origin',
  'expires_at',
  'properties',
];

describe('dataset info', () => {
  beforeEach(async () => {
    await ok('create', 'a', '--quota', '10GiB', '-o', 'backup:policy=daily');
    Object.assign(served.datasets.rows.get('a')!, { usedBytes: 2 ** 53 - 1, usedInodes: 12 });
  });

  it('shows every field, what is used in plain integers', async () => {
    const { uuid } = served.datasets.info('a');
    served.datasets.rows.get('a')!.usedBytes = 5 * GIB + 1;
    expect(await ok('info', 'a')).toBe(
      `id:                1
name:              a
uuid:              ${uuid}
parent_id:         -
parent_uuid:       -
root_inode:        1
created_at:        2026-09-21 14:13:20 UTC
is_readonly:       false
is_snapshot:       false
generation:        1
flags:             0
kind:              filesystem
is_default:        false
used_bytes:        5368709121
used_inodes:       12
referenced_bytes:  5368709121
live_bytes:        5368709121
snapshot_bytes:    0
clone_bytes:       0
stored_bytes:      5368709121
pending_bytes:     0
available:         5.00G
quota:             10.0G
refquota:          -
reservation:       -
origin:            -
expires_at:        -
backup:policy:     daily
`,
    );
    expect(await ok('info', 'a', '-p')).toMatch(/^quota: +10737418240$/m);
  });

  it('is JSON with the published fields, numbers exact', async () => {
    const info = JSON.parse(await ok('info', 'a', '-o', 'json'));
    expect(Object.keys(info)).toEqual(['output_version', ...INFO_KEYS]);
    expect(info).toMatchObject({
      id: 1,
      parent_id: null,
      used_bytes: Number.MAX_SAFE_INTEGER,
      quota: 10 * GIB,
      refquota: 0,
      properties: {
        'backup:policy': { value: 'daily', source: 'local' },
        readonly: { value: 'off', source: 'default' },
      },
    });
  });

  it('exits with 3 when there is none, with 2 for another format', async () => {
    expect(await cairn('info', 'b')).toEqual({
      status: 3,
      stdout: '',
      stderr: 'cairn: There is no dataset b\n',
    });
    expect(await cairn('info', 'a', '-o', 'name')).toMatchObject({
      status: 2,
      stderr: 'cairn: -o can only be json here, not "name"\n',
    });
  });
});

describe('dataset delete', () => {
  beforeEach(async () => {
    await ok('create', 'a');
    await ok('create', 'a/b');
    Object.assign(served.datasets.rows.get('a/b')!, { usedBytes: 1536, usedInodes: 3 });
  });

  it('is busy with datasets below it, unless they go too', async () => {
    expect(await cairn('delete', 'a')).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('-r takes them too'),
    });
    expect(await ok('delete', '-r', 'a')).toBe(
      'Deleted a\nDeleted a/b\nGiving back 1.50K and 4 inodes in the background\n',
    );
    expect(served.datasets.list()).toHaveLength(1);
  });

  it('says what would go with --dry-run, and takes nothing', async () => {
    expect(await ok('delete', '-r', 'a', '--dry-run', '-p')).toBe(
      'Would delete a\nWould delete a/b\nWould give back 1536 and 4 inodes\n',
    );
    expect(JSON.parse(await ok('delete', '-r', 'a', '--dry-run', '-o', 'json'))).toMatchObject({
      dry_run: true,
      names: ['a', 'a/b'],
      bytes: 1536,
      inodes: 4,
    });
    expect((await cairn('delete', 'a', '--dry-run')).status).toBe(5);
    expect(served.datasets.list()).toHaveLength(3);
  });

  it('counts one inode as one', async () => {
    await ok('create', 'single');
    expect(await ok('delete', 'single', '--dry-run')).toBe(
      'Would delete single\nWould give back 0B and 1 inode\n',
    );
  });

  it('is refused for the default dataset', async () => {
    expect(await cairn('delete', 'root')).toMatchObject({ status: 5 });
  });
});

describe('dataset set, get and inherit', () => {
  beforeEach(async () => {
    await ok('create', 'a');
    await ok('create', 'a/b');
  });

  it('set several at once, and show where values come from', async () => {
    expect(await ok('set', 'a', 'readonly=on', 'quota=10GiB', 'x:y=')).toBe('');
    expect(await ok('get', 'a', 'quota,readonly', 'x:y')).toBe(
      [
        'NAME  PROPERTY  VALUE  SOURCE',
        'a     quota     10.0G  local',
        'a     readonly  on     local',
        'a     x:y              local',
        '',
      ].join('\n'),
    );
    expect(await ok('get', '-Hp', '-o', 'value,source', 'a/b', 'readonly')).toBe('on\tinherited from a\n');
    expect(await ok('get', '-Hp', '-o', 'value', 'a', 'quota')).toBe(`${10 * GIB}\n`);
    expect(await ok('get', '-H', 'a', 'creation')).toBe('a\tcreation\t2026-09-21 14:13:20 UTC\t-\n');
    await ok('inherit', 'a', 'readonly');
    expect(await ok('get', '-H', '-o', 'value,source', 'a/b', 'readonly')).toBe('off\tdefault\n');
  });

  it('show what anybody may have written so that it is neither a command of the terminal nor another row', async () => {
    const value = 'one\ntwo\tthree\x1b[31m\\\x9b';
    const shown = 'one\\012two\\011three\\033[31m\\134\\302\\233';
    await ok('set', 'a', `x:y=${value}`);
    expect(await ok('get', '-H', '-o', 'value', 'a', 'x:y')).toBe(`${shown}\n`);
    expect(await ok('get', '-o', 'value,name', 'a', 'x:y')).toMatch(/^VALUE +NAME\n[ -~]+ {2}a\n$/);
    expect(await ok('list', '-Hp', '-o', 'x:y,name', '-s', 'name', 'a')).toBe(`${shown}\ta\n${shown}\ta/b\n`);
    expect(await ok('info', 'a')).toContain(` ${shown}\n`);
    expect(JSON.parse(await ok('get', '-o', 'json', 'a', 'x:y')).properties['x:y'].value).toBe(value);
  });

  it('take the name as an option as well', async () => {
    await ok('set', '--name', 'a', 'readonly=on', 'x:y=1');
    expect(await ok('get', '--name', 'a', 'readonly', 'x:y', '-H', '-o', 'value')).toBe('on\n1\n');
    await ok('inherit', '--name', 'a', 'readonly');
    expect(JSON.parse(await ok('get', '--name', 'a', '-o', 'json', 'readonly'))).toMatchObject({
      name: 'a',
      properties: { readonly: { value: 'off', source: 'default' } },
    });
  });

  it.each([
    [['set', 'a'], 2, 'cairn: What should be set? Give PROPERTY=VALUE, such as quota=10GiB\n'],
    [
      ['set', 'quota=1'],
      2,
      'cairn: The name is missing: give it as in "cairn dataset set NAME quota=10GiB", or with --name\n',
    ],
    [['set', 'a', 'readonly'], 2, 'cairn: "readonly" is no PROPERTY=VALUE, such as quota=10GiB\n'],
    [['set', 'a', 'readonly=maybe'], 2, 'cairn: readonly is on or off, not "maybe"\n'],
    [['set', 'a', 'used=1'], 2, 'cairn: used is computed and cannot be set\n'],
    [['set', 'c', 'readonly=on'], 3, 'cairn: There is no dataset c\n'],
    [
      ['inherit', 'a'],
      2,
      'cairn: The property is missing: give it as in "cairn dataset inherit NAME PROPERTY"\n',
    ],
    [['inherit', 'a', 'quota'], 2, 'cairn: quota is not inherited; to take the limit away, set quota=none\n'],
    [
      ['get', 'a', 'colour'],
      2,
      expect.stringMatching(/^cairn: There is no property "colour"; those of a are used, /),
    ],
  ])('%j exits with %i and a sentence', async (argv, status, stderr) => {
    expect(await cairn(...(argv as string[]))).toEqual({ status, stdout: '', stderr });
  });
});

describe('dataset rename', () => {
  it('takes two arguments, or options', async () => {
    await ok('create', 'a');
    await ok('create', 'a/b');
    expect(await ok('rename', 'a', 'c')).toBe('Renamed a to c\n');
    expect(await ok('rename', '--name', 'c', 'd')).toBe('Renamed c to d\n');
    expect(await ok('rename', '--name', 'd', '--new-name', 'e')).toBe('Renamed d to e\n');
    expect(await ok('list', '-H', '-o', 'name')).toBe('root\ne\ne/b\n');
    expect(await cairn('rename', 'root', 'x')).toMatchObject({
      status: 6,
      stderr: 'cairn: Cannot rename root\n',
    });
    expect(await cairn('rename', 'e', 'e/b')).toMatchObject({ status: 4 });
    expect(await cairn('rename', 'e')).toMatchObject({ status: 2 });
  });
});
