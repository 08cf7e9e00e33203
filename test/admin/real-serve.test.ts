// `cairn serve` and `cairn check` on a real data directory, at the seams that only the real server has.

import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOffline, runServer } from '../../src/server.ts';
import { logLines } from '../nfs/log-lines.ts';
import { CommandLine } from './cli/command-line.ts';
import { asNobody } from './nobody.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cairn-serve-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const line = () =>
  new CommandLine({
    runServer,
    checkOffline: (settings, options) => checkOffline(settings, { ...logLines(), debug() {} }, options),
  });

describe('the data directory of another user', () => {
  it('is denied, to serve as to check (exit status 6)', async () => {
    const data = join(directory, 'data');
    mkdirSync(data, { mode: 0o000 });
    await asNobody(async () => {
      for (const command of ['serve', 'check']) {
        expect(await line().run(command, '--data-dir', data)).toMatchObject({
          status: 6,
          stderr: expect.stringMatching(/permission denied/i),
        });
      }
    });
  });
});

describe('a check whose reader goes', () => {
  it('ends with what it has found, not with 0', { timeout: 60_000 }, () => {
    const cairn = `"${process.execPath}" dist/cairn.js`;
    const data = join(directory, 'data');
    // A data directory that has lost its segments is damaged, and nothing of it can be served.
    const made = `${cairn} serve --data-dir "${data}" --listen 127.0.0.1:0 > "${directory}/log" & server=$!
      until grep -q mountport "${directory}/log"; do sleep 0.05; done
      kill $server; wait $server; rmdir "${data}/segments"`;
    execFileSync('bash', ['-c', made]);
    const piped = `${cairn} check --data-dir "${data}" | true; echo \${PIPESTATUS[0]}`;
    expect(
      execFileSync('bash', ['-c', piped], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    ).toBe('8\n');
  });
});

/** A server of the temporary directory, whose warnings are kept. */
function started(signals: EventEmitter, warnings: string[]) {
  const warn = (_: object, message: string) => warnings.push(message);
  return {
    signals,
    createLog: () => ({ debug() {}, info() {}, warn, error() {} }),
    workingDirectory: directory,
  };
}

describe('a reload', () => {
  it('names the keys that it does not take, and takes the rules', async () => {
    const config = join(directory, 'c.toml');
    const rule = (network: string) => `insecure_ports = true\n[[export]]\nnetwork = "${network}"\n`;
    writeFileSync(config, `listen = "127.0.0.1:0"\n${rule('10.0.0.0/8')}`);
    const signals = new EventEmitter();
    const warnings: string[] = [];
    const command = new CommandLine({
      ...started(signals, warnings),
      async runServer(start) {
        const running = await runServer(start);
        setImmediate(async () => {
          signals.emit('SIGHUP');
          await new Promise((resolve) => setImmediate(resolve));
          expect(warnings).toEqual([]);
          const limits = '[limits]\nidle = "1m"\n';
          writeFileSync(config, `listen = "127.0.0.1:1"\n${rule('192.168.0.0/16')}${limits}`);
          signals.emit('SIGHUP');
          await new Promise((resolve) => setImmediate(resolve));
          expect(running.exports()).toMatchObject([{ networks: ['192.168.0.0/16'], secure: false }]);
          signals.emit('SIGTERM');
        });
        return running;
      },
    });
    expect((await command.run('serve', '-c', config)).status).toBe(0);
    expect(warnings).toEqual([
      'Only the export rules were read again; what else has changed needs a restart: listen, [limits] idle',
    ]);
  });
});

describe('a disk with less than its reserve', () => {
  it('is told of at the start, and is what a create is refused by', async () => {
    const config = join(directory, 'c.toml');
    writeFileSync(config, 'listen = "127.0.0.1:0"\ndisk_reserve_bytes = "1000TiB"\n');
    const signals = new EventEmitter();
    const warnings: string[] = [];
    const failures: unknown[] = [];
    const reason = 'less than disk_reserve_bytes (1000TiB) is free on the disk';
    const command = new CommandLine({
      ...started(signals, warnings),
      async runServer(start) {
        const running = await runServer(start);
        setImmediate(async () => {
          failures.push(await running.datasets.create('a', {}).catch((error: Error) => error.message));
          signals.emit('SIGTERM');
        });
        return running;
      },
    });
    expect((await command.run('serve', '-c', config)).status).toBe(0);
    expect(warnings).toEqual([`Nothing can be written to ${directory}/data: ${reason}`]);
    expect(failures).toEqual([`Cannot create a: ${reason}`]);
  });
});
