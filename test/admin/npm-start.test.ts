// `npm start` is npm, a shell and the server, and what ends npm must reach the server: the shell must have become it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

async function isServed(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return outcome;
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

it('npm start serves until npm is told to end', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'npm-start-'));
  const flags = ['--data-dir', join(directory, 'data'), '--listen', '127.0.0.1:0'];
  // A group of its own, so that a server that was forgotten goes with it.
  const npm = spawn('npm', ['start', '--', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    let printed = '';
    while (!/mountport=\d+/.test(printed)) printed += (await once(npm.stdout, 'data'))[0];
    const port = Number(/mountport=(\d+)/.exec(printed)![1]);
    expect(await isServed(port)).toBe(true);
    // The server holds the other end of the pipe until it has ended.
    const ended = once(npm.stdout.resume(), 'end');
    npm.kill('SIGTERM');
    await ended;
    expect(await isServed(port)).toBe(false);
  } finally {
    endGroup(npm.pid!);
    await rm(directory, { recursive: true, force: true });
  }
});
