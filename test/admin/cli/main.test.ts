import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer, ServerStart } from '../../../src/admin/cli/cli-io.ts';
import { ConfigError } from '../../../src/admin/config/config-error.ts';
import { loadSettings } from '../../../src/admin/config/settings.ts';
import { StartError } from '../../../src/admin/start-error.ts';
import { MemoryDatasets } from '../memory-datasets.ts';
import { asNobody } from '../nobody.ts';
import { Served } from '../served.ts';
import { CommandLine } from './command-line.ts';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
});
afterAll(() => served.stop());

describe('the server', () => {
  const list = ['dataset', 'list', '-H', '-o', 'name'];

  it('is found by --admin-socket, before anything else', async () => {
    const line = new CommandLine({ environment: { CAIRN_ADMIN_SOCKET: '/absent' } });
    expect(await line.run(...list, '--admin-socket', served.socket, '-c', '/absent.toml')).toMatchObject({
      status: 0,
      stdout: 'root\n',
    });
  });

  it('is found by the configuration file, from where that is', async () => {
    const file = join(served.directory, 'c.toml');
    const line = new CommandLine({ environment: { CAIRN_ADMIN_SOCKET: '/absent' } });
    writeFileSync(file, 'data_dir = "."\n');
    expect((await line.run(...list, '-c', file)).status).toBe(0);
    writeFileSync(file, 'data_dir = "/absent"\nadmin_socket = "admin.sock"\n');
    expect((await line.run(...list, '-c', file)).status).toBe(0);
  });

  it('is found by the environment, else at ./data/admin.sock', async () => {
    const environment = { CAIRN_ADMIN_SOCKET: served.socket };
    expect((await new CommandLine({ environment }).run(...list)).status).toBe(0);
    const directory = join(served.directory, 'work');
    mkdirSync(join(directory, 'data'), { recursive: true });
    const admin = await served.startAt(join(directory, 'data/admin.sock'));
    expect((await new CommandLine({ workingDirectory: directory }).run(...list)).status).toBe(0);
    await admin.close(1000);
  });

  it('is said to be unreachable with where it was looked for, and what to do', async () => {
    const line = new CommandLine({ workingDirectory: '/absent' });
    const what = 'Start it with cairn serve, or say where its socket is with --admin-socket';
    expect(await line.run(...list)).toEqual({
      status: 7,
      stdout: '',
      stderr: `cairn: Cannot reach the server at /absent/data/admin.sock (the default): there is no such socket. ${what}\n`,
    });
    expect((await line.run(...list, '--admin-socket', 's')).stderr).toBe(
      `cairn: Cannot reach the server at /absent/s (given by --admin-socket): there is no such socket. ${what}\n`,
    );
    const left = join(served.directory, 'left.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', script])).toThrow();
    expect((await new CommandLine({ environment: { CAIRN_ADMIN_SOCKET: left } }).run(...list)).stderr).toBe(
      `cairn: Cannot reach the server at ${left} (given by $CAIRN_ADMIN_SOCKET): no server runs there any more. ${what}\n`,
    );
  });

  it('is said not to be there where no socket is, and not to be named by nothing', async () => {
    const line = new CommandLine();
    const file = join(served.directory, 'a-file');
    writeFileSync(file, '');
    for (const [path, what] of [
      [file, 'file'],
      [served.directory, 'directory'],
    ] as const) {
      expect(await line.run(...list, '--admin-socket', path)).toMatchObject({
        status: 7,
        stderr: expect.stringContaining(`(given by --admin-socket): it is a ${what}, no socket. `),
      });
    }
    expect(await line.run(...list, '--admin-socket', '')).toMatchObject({
      status: 2,
      stderr: 'cairn: --admin-socket must not be empty\n',
    });
  });

  it('is denied to other users, with what they can do', async () => {
    await asNobody(async () => {
      expect(await new CommandLine().run(...list, '--admin-socket', served.socket)).toEqual({
        status: 6,
        stdout: '',
        stderr:
          `cairn: Cannot reach the server at ${served.socket} (given by --admin-socket): only the user who started ` +
          'it, and root, may. Run this command as one of them\n',
      });
    });
  });

  it('is not looked for where the configuration is wrong', async () => {
    expect(await new CommandLine().run(...list, '-c', '/absent.toml')).toMatchObject({
      status: 2,
      stderr: 'cairn: Cannot read the configuration file /absent.toml: there is no such file\n',
    });
  });
});

describe('help', () => {
  it('has the exit codes, for the program and for each command', async () => {
    const line = new CommandLine();
    for (const argv of [['--help'], ['dataset', '--help'], ['dataset', 'list', '-h'], ['serve', '--help']]) {
      const { status, stdout } = await line.run(...argv);
      expect([status, stdout]).toEqual([
        0,
        expect.stringContaining('Exit status: 0 ok, 1 other failure, 2 wrong usage'),
      ]);
    }
  });

  it('is what a missing command gets, as an error', async () => {
    expect(await new CommandLine().run()).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: cairn'),
    });
    expect(await new CommandLine().run('dataset')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Usage: cairn dataset'),
    });
  });

  it('tells the version', async () => {
    expect(await new CommandLine().run('--version')).toEqual({ status: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('export, clients and status', () => {
  const run = (...argv: string[]) => new CommandLine().run(...argv, '--admin-socket', served.socket);

  it('list the rules in force', async () => {
    expect((await run('export', 'list')).stdout).toBe(
      [
        'NETWORK          ACCESS  SQUASH  ANONUID  ANONGID  SECURE  DATASETS',
        '127.0.0.0/8,::1  rw      none      65534    65534  on      *',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run('export', 'list', '-o', 'json')).stdout)).toMatchObject({
      output_version: { command: 'cairn export list' },
      exports: [
        { networks: ['127.0.0.0/8', '::1'], access: 'rw', squash: 'none', secure: true, datasets: ['*'] },
      ],
    });
  });

  it('read the rules again', async () => {
    const before = served.reloads;
    expect((await run('export', 'reload', '-H', '-o', 'network')).stdout).toBe('127.0.0.0/8,::1\n');
    expect(served.reloads).toBe(before + 1);
    expect(served.warnings).toEqual([]);
    served.exported = ['projcts', 'root'];
    await run('export', 'reload');
    expect(served.warnings).toEqual(['An export rule has projcts, but there is no such dataset']);
    served.exported = ['*'];
  });

  it('say which other keys have changed, and that they need a restart', async () => {
    expect((await run('export', 'reload')).stderr).toBe('');
    served.needRestart = ['listen', '[limits] idle'];
    expect(await run('export', 'reload')).toMatchObject({
      status: 0,
      stderr:
        'cairn: Only the export rules were read again; what else has changed needs a restart: listen, [limits] idle\n',
    });
    const { need_restart } = JSON.parse((await run('export', 'reload', '-o', 'json')).stdout);
    expect(need_restart).toEqual(['listen', '[limits] idle']);
    served.needRestart = [];
  });

  it('list connections', async () => {
    expect((await run('clients')).stdout).toBe(
      'ADDRESS    PORT  CONNECTED  CALLS  IDLE  MOUNTS\n127.0.0.1   700       1m1s     12    0s  /\n',
    );
    expect(JSON.parse((await run('clients', '-o', 'json')).stdout).clients).toEqual([
      {
        address: '127.0.0.1',
        port: 700,
        connected_for_ms: 61001,
        calls: 12,
        since_last_call_ms: 0,
        mounts: ['/'],
      },
    ]);
  });

  it('show how the server is', async () => {
    expect((await run('status')).stdout).toBe(
      `version:           1.2.3
volume_uuid:       0f0e0d0c-0000-4000-8000-000000000000
data_dir:          ${served.dataDir}
listen:            127.0.0.1:2049
durability:        strict
uptime:            1h2m
failure:           none
connections:       1
datasets:          1
disk:              931G
disk_available:    1.00T
dirty:             1.50K
pending_datasets:  1
pending:           4.00K
pending_inodes:    2
`,
    );
    expect(JSON.parse((await run('status', '-o', 'json')).stdout)).toMatchObject({
      uptime_ms: 3723001,
      failure: null,
      disk_available_bytes: 2 ** 40,
      pending_bytes: 4096,
    });
  });
});

describe('config check', () => {
  it('prints what would be used', async () => {
    const { status, stdout } = await new CommandLine({ workingDirectory: '/w' }).run(
      'config',
      'check',
      '--listen',
      '[::1]:3',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^data_dir = "\/w\/data"\nlisten = "\[::1\]:3"\nadmin_socket = "\/w\/data\/admin.sock"\n/,
    );
  });

  it('says what is wrong, a line for each, with exit status 2', async () => {
    const file = join(served.directory, 'wrong.toml');
    writeFileSync(file, 'lisen = 1\ndurability = "fast"\n');
    expect(await new CommandLine().run('config', 'check', '-c', file)).toEqual({
      status: 2,
      stdout: '',
      stderr:
        `cairn: ${file}, line 1: there is no key "lisen"; did you mean "listen"?\n` +
        `cairn: ${file}, line 2: durability must be strict or relaxed, not "fast"\n`,
    });
  });
});

describe('check', () => {
  const clean = { summary: { datasets: 2, inodes: 10, bytes: 2048, findings: 0, repaired: 0 } };
  const finding = (repaired: boolean) => ({
    finding: { kind: 'nlink', path: '/a/b', message: 'It has 2 links, counted are 1', repaired },
  });

  it('is done by the server that runs', async () => {
    const line = new CommandLine();
    served.checkEvents = [clean];
    expect(await line.run('check', '--admin-socket', served.socket)).toEqual({
      status: 0,
      stdout: 'Checked 2 datasets, 10 inodes, 2.00K: nothing is wrong\n',
      stderr: '',
    });
    served.checkEvents = [finding(false), { summary: { ...clean.summary, findings: 1 } }];
    expect(await line.run('check', '--admin-socket', served.socket)).toEqual({
      status: 8,
      stdout:
        '/a/b: It has 2 links, counted are 1\nChecked 2 datasets, 10 inodes, 2.00K: 1 found, 0 repaired\n',
      stderr: 'cairn: 1 thing is wrong; --repair mends what can be mended\n',
    });
    expect((await line.run('check', '--repair', '--admin-socket', served.socket)).stderr).toBe(
      'cairn: 1 thing is wrong that cannot be mended\n',
    );
    served.checkEvents = [finding(true), { summary: { ...clean.summary, findings: 1, repaired: 1 } }];
    const repaired = await line.run('check', '--repair', '-o', 'json', '--admin-socket', served.socket);
    expect(repaired.status).toBe(0);
    expect(JSON.parse(repaired.stdout)).toMatchObject({
      findings: [{ kind: 'nlink', path: '/a/b', repaired: true }],
      summary: { findings: 1, repaired: 1 },
    });
  });

  it('hints at --repair only where that may help', async () => {
    const directory = join(served.directory, 'refused');
    mkdirSync(directory);
    writeFileSync(join(directory, 'CAIRN'), 'x');
    const findings = [{ kind: 'database', path: '', message: 'Gone', repaired: false, mendable: false }];
    const line = new CommandLine({
      async *checkOffline() {
        for (const finding of findings) yield { finding };
        yield { summary: { datasets: 0, inodes: 0, bytes: 0, findings: findings.length, repaired: 0 } };
      },
    });
    const stderr = async () => (await line.run('check', '--data-dir', directory)).stderr;
    expect(await stderr()).toBe('cairn: 1 thing is wrong that --repair does not mend\n');
    findings.push({ kind: 'database', path: '', message: 'Damaged', repaired: false, mendable: true });
    expect(await stderr()).toBe('cairn: 2 things are wrong; --repair mends what can be mended\n');
  });

  it('that ends early is a failure', async () => {
    served.checkEvents = [];
    expect(await new CommandLine().run('check', '--admin-socket', served.socket)).toMatchObject({
      status: 1,
      stderr: 'cairn: The check has ended before it was done\n',
    });
  });

  it('names --data-dir where only a server that does not run was named', async () => {
    const environment = { CAIRN_ADMIN_SOCKET: '/absent.sock' };
    expect(await new CommandLine({ environment }).run('check')).toMatchObject({
      status: 7,
      stderr: expect.stringMatching(/ --admin-socket; what no server has open is checked with --data-dir\n$/),
    });
  });

  it('is denied where the data directory may not be looked into', async () => {
    const directory = join(served.directory, 'closed');
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, 'CAIRN'), 'x');
    chmodSync(served.directory, 0o755);
    if (process.geteuid!() !== 0) chmodSync(directory, 0);
    await asNobody(async () => {
      expect(await new CommandLine().run('check', '--data-dir', directory)).toMatchObject({
        status: 6,
        stderr: `cairn: Cannot look into ${directory}: permission denied. Run this command as the user who started the server there\n`,
      });
    });
    chmodSync(directory, 0o700);
    chmodSync(served.directory, 0o700);
  });

  it('is not done by a server that serves another data directory than the one that is asked for', async () => {
    const copy = join(served.directory, 'copy');
    mkdirSync(copy);
    writeFileSync(join(copy, 'CAIRN'), 'x');
    const file = join(served.directory, 'served.toml');
    writeFileSync(file, `admin_socket = "${served.socket}"\ndata_dir = "${served.dataDir}"\n`);
    const asked: unknown[] = [];
    const line = new CommandLine({
      async *checkOffline(settings) {
        asked.push(settings.dataDir);
        yield { summary: { ...clean.summary, datasets: 7 } };
      },
    });
    served.checkEvents = [clean];
    expect((await line.run('check', '-c', file)).stdout).toMatch(/^Checked 2 datasets/);
    expect(asked).toEqual([]);
    // By another name too it is what the server has.
    const name = join(served.directory, 'the-same');
    symlinkSync(served.dataDir, name);
    expect((await line.run('check', '-c', file, '--data-dir', name)).stdout).toMatch(/^Checked 2 datasets/);
    expect((await line.run('check', '-c', file, '--data-dir', copy)).stdout).toMatch(/^Checked 7 datasets/);
    expect(asked).toEqual([copy]);
    const absent = join(served.directory, 'absent');
    expect(await line.run('check', '-c', file, '--data-dir', absent)).toMatchObject({
      status: 3,
      stderr: `cairn: The server at ${served.socket} serves ${served.dataDir}, and there is no data directory at ${absent}: say where it is with --data-dir\n`,
    });
  });

  it('is done on the data directory when no server runs', async () => {
    const directory = join(served.directory, 'offline');
    mkdirSync(directory);
    const asked: unknown[] = [];
    const line = new CommandLine({
      async *checkOffline(settings, options) {
        asked.push([settings.dataDir, options]);
        yield clean;
      },
    });
    const absent = await line.run('check', '--data-dir', directory);
    expect(absent).toMatchObject({
      status: 3,
      stderr: `cairn: There is no server at ${directory}/admin.sock and no data directory at ${directory}: say where it is with --data-dir\n`,
    });
    writeFileSync(join(directory, 'CAIRN'), 'x');
    expect(await line.run('check', '--data-dir', directory, '--repair', '/a')).toMatchObject({ status: 0 });
    expect(asked).toEqual([[directory, { path: '/a', repair: true }]]);
    // The marker is lost, and the rest is there.
    rmSync(join(directory, 'CAIRN'));
    mkdirSync(join(directory, 'meta'));
    writeFileSync(join(directory, 'meta/CURRENT'), 'x');
    expect(await line.run('check', '--data-dir', directory)).toMatchObject({ status: 0 });
  });
});

describe('completion', () => {
  const complete = async (...words: string[]) => {
    const line = new CommandLine({ environment: { CAIRN_ADMIN_SOCKET: served.socket } });
    return (await line.run('complete', '--', ...words)).stdout.split('\n').slice(0, -1);
  };

  it('has a script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect((await new CommandLine().run('completion', shell)).stdout).toContain('cairn complete -- ');
    }
    expect(await new CommandLine().run('completion', 'tcsh')).toMatchObject({
      status: 2,
      stderr: 'cairn: There is completion for bash, zsh, fish, not for tcsh\n',
    });
  });

  it('is valid bash, and completes there what bash takes for several words', async () => {
    const { stdout } = await new CommandLine().run('completion', 'bash');
    // The program is a function that tells what it is asked, and answers what is prepared.
    const inBash = (line: string, answer: string) => {
      const script = `cairn() { echo "<$*>" >&2; printf '${answer}'; }\n${stdout.replace('2>/dev/null)', '2>&3)')}
        compopt() { echo "$@"; }
        COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
        _cairn 3>&1; printf '%s|' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' });
    };
    expect(inBash('cairn dataset li', 'list\\nlist-snapshots\\n')).toBe(
      '<complete -- dataset li>\nlist|list-snapshots|',
    );
    expect(inBash('cairn dataset info ', 'a b*\\n')).toBe('<complete -- dataset info >\na b*|');
    expect(inBash('cairn dataset info a/b@be', 'a/b@before\\n')).toBe(
      '<complete -- dataset info a/b@be>\nbefore|',
    );
    expect(inBash('cairn dataset set a my:o', 'my:own=\\n')).toBe(
      '<complete -- dataset set a my:o>\n-o nospace\nown=|',
    );
  });

  it('knows commands, options and datasets', async () => {
    await served.datasets.create('projects', {});
    expect(await complete('')).toEqual([
      'serve',
      'dataset',
      'export',
      'clients',
      'status',
      'config',
      'check',
      'job',
      'completion',
      'help',
    ]);
    expect(await complete('dataset', 'set')).toEqual(['set-default', 'set']);
    expect(await complete('dataset', 'info', 'pro')).toEqual(['projects']);
    expect(await complete('dataset', 'info', '--name', '')).toEqual(['root', 'projects']);
    expect(await complete('dataset', 'list', '--a')).toEqual(['--admin-socket']);
    expect(await complete('serve', '--durability', '')).toEqual(['strict', 'relaxed']);
    expect(await complete('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    await served.datasets.delete('projects', false);
  });

  it('knows properties: those that can be set, shown or taken back', async () => {
    await served.datasets.create('projects', { properties: { quota: '1GiB', 'my:own': 'x' } });
    expect(await complete('dataset', 'set', 'projects', 'q')).toEqual(['quota=']);
    expect(await complete('dataset', 'set', 'projects', 'quota=1GiB', 'm')).toEqual(['my:own=']);
    expect(await complete('dataset', 'set', '--name', 'projects', 'u')).toEqual([]);
    expect(await complete('dataset', 'get', 'projects', 'us')).toEqual(['used']);
    expect(await complete('dataset', 'inherit', 'projects', '')).toEqual(['quota', 'my:own']);
    expect(await complete('dataset', 'inherit', 'projects', 'quota', '')).toEqual([]);
    expect(await complete('dataset', 'rename', 'projects', '')).toEqual([]);
    await served.datasets.delete('projects', false);
  });

  it('asks the server that the line names', async () => {
    const words = ['dataset', 'info', '--admin-socket', served.socket, ''];
    expect((await new CommandLine().run('complete', '--', ...words)).stdout).toBe('root\n');
  });

  it('is silent where no server runs', async () => {
    expect(await new CommandLine().run('complete', '--', 'dataset', 'info', '')).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('serve', () => {
  const RULE = loadSettings({}, {}, '/').exports[0]!;

  class Running implements RunningServer {
    announced = 0;
    closed = 0;
    reloaded = 0;
    readonly datasets = new MemoryDatasets();
    readonly rules = [{ ...RULE, datasets: ['*', 'root', 'projcts'] }];
    exports() {
      return this.rules;
    }
    announce(): void {
      this.announced++;
    }
    async close(): Promise<void> {
      this.closed++;
    }
    async reloadExports(): Promise<void> {
      this.reloaded++;
    }
  }

  it('runs the server with the settings, until SIGTERM', async () => {
    const signals = new EventEmitter();
    const running = new Running();
    const starts: ServerStart[] = [];
    const line = new CommandLine({
      signals,
      workingDirectory: '/w',
      async runServer(start) {
        starts.push(start);
        setImmediate(() => {
          signals.emit('SIGHUP');
          expect(running).toMatchObject({ reloaded: 1, closed: 0 });
          signals.emit('SIGTERM');
        });
        return running;
      },
    });
    expect(
      (await line.run('serve', '--data-dir', 'd', '--listen', '127.0.0.1:3049', '--insecure-ports')).status,
    ).toBe(0);
    expect(running).toMatchObject({ announced: 1, closed: 1 });
    expect(starts[0]!.settings).toMatchObject({ dataDir: '/w/d', listen: { port: 3049 } });
    expect(starts[0]!.reloadSettings()).toEqual(starts[0]!.settings);
  });

  it('ends in good order at a signal that comes while it starts, and at once at the second', async () => {
    const signals = new EventEmitter();
    const running = new Running();
    const exits: number[] = [];
    const line = new CommandLine({
      signals,
      exit: (status) => exits.push(status),
      async runServer() {
        signals.emit('SIGINT');
        return running;
      },
    });
    expect((await line.run('serve')).status).toBe(0);
    expect([running.closed, exits]).toEqual([1, []]);
    // What it would say is where it serves, and it will not.
    expect(running.announced).toBe(0);
    signals.emit('SIGINT');
    expect(exits).toEqual([1]);
  });

  it('lives through a SIGHUP at any time, and reads the rules only while it serves', async () => {
    const signals = new EventEmitter();
    const running = new Running();
    // Without a listener the process would end: that is what the system does with it.
    const hangUp = () => expect(signals.emit('SIGHUP')).toBe(true);
    running.close = async () => {
      hangUp();
      await new Promise((resolve) => setImmediate(resolve));
      hangUp();
    };
    const line = new CommandLine({
      signals,
      createLog: () => {
        hangUp();
        return { debug() {}, info() {}, warn() {}, error() {} };
      },
      async runServer() {
        hangUp();
        setImmediate(() => {
          expect(running.reloaded).toBe(1);
          signals.emit('SIGTERM');
        });
        return running;
      },
    });
    expect((await line.run('serve')).status).toBe(0);
    hangUp();
    // Once, for those of the start: the rules may have changed since they were read.
    expect(running.reloaded).toBe(1);
  });

  it('gives up before ten seconds are over', async () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    const timers: (() => void)[] = [];
    const clock = {
      now: () => ({ seconds: 0, nanoseconds: 0 }),
      elapsedMs: () => 0,
      after: (delayMs: number, task: () => void) => {
        expect(delayMs).toBeLessThan(10_000);
        timers.push(task);
        return { cancel() {} };
      },
    };
    const line = new CommandLine({
      signals,
      clock,
      exit: (status) => exits.push(status),
      async runServer() {
        signals.emit('SIGTERM');
        const running = new Running();
        running.close = async () => {
          for (const timer of timers) timer();
        };
        return running;
      },
    });
    await line.run('serve');
    expect(exits).toEqual([1]);
  });

  it('says in a sentence why it cannot stop in good order, and fails', async () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    const lines: string[] = [];
    const take = (fields: object, message: string) => lines.push(JSON.stringify(fields) + message);
    const line = new CommandLine({
      signals,
      exit: (status) => exits.push(status),
      createLog: () => ({ debug() {}, info() {}, warn() {}, error: take }),
      async runServer() {
        signals.emit('SIGTERM');
        const running = new Running();
        running.close = () => Promise.reject(new Error('Cannot write the metadata: IO error: disk full'));
        return running;
      },
    });
    await line.run('serve');
    expect(exits).toEqual([1]);
    expect(lines.at(-1)).toBe(
      '{}Cannot stop in good order: Cannot write the metadata: IO error: disk full. What was acknowledged is safe',
    );
  });

  it('warns of exported datasets that there are not, and says in a sentence why rules are not read again', async () => {
    const signals = new EventEmitter();
    const lines: string[] = [];
    const take = (fields: object, message: string) => lines.push(JSON.stringify(fields) + message);
    const running = new Running();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const line = new CommandLine({
      signals,
      createLog: () => ({ debug() {}, info() {}, warn: take, error: take }),
      async runServer() {
        setImmediate(async () => {
          signals.emit('SIGHUP');
          await turn();
          running.reloadExports = async () => {
            throw new ConfigError(['c.toml, line 1: one', 'c.toml, line 2: two']);
          };
          signals.emit('SIGHUP');
          await turn();
          signals.emit('SIGTERM');
        });
        return running;
      },
    });
    expect((await line.run('serve')).status).toBe(0);
    const warning = '{"dataset":"projcts"}An export rule has projcts, but there is no such dataset';
    expect(lines).toEqual([
      warning,
      warning,
      '{}Cannot read the export rules again, those of before stay in force: c.toml, line 1: one; c.toml, line 2: two',
    ]);
  });

  it('says in a sentence why it cannot start', async () => {
    const line = new CommandLine({
      runServer: () =>
        Promise.reject(new StartError('Cannot listen on 127.0.0.1:2049: another program has the port')),
    });
    expect(await line.run('serve')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'cairn: Cannot listen on 127.0.0.1:2049: another program has the port\n',
    });
    expect(await line.run('serve', '--listen', '0.0.0.0:2049')).toMatchObject({ status: 2 });
  });
});
