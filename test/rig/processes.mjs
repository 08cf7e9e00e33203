// Child processes of the suites: run to the end with a time limit, or awaited until they say that they are ready.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from './report.mjs';

/** The state of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

/** Runs a program to its end; answers `{ status, stdout, stderr }` whatever the status. */
export function run(program, args, { timeoutMs = 120_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const stdout = [];
    const stderr = [];
    child.stdout.on('data', (data) => stdout.push(data));
    child.stderr.on('data', (data) => stderr.push(data));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      const text = (parts) => Buffer.concat(parts).toString();
      resolve({ status: status ?? signal, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

/** As `run`, but a status other than 0 fails the check, with what the program said. */
export async function runOk(program, args, options) {
  const result = await run(program, args, options);
  if (result.status !== 0) {
    const said = `${result.stdout}${result.stderr}`.trimEnd().slice(-4000);
    throw new Failure(`${program} ${args.join(' ').slice(0, 300)}\nended with ${result.status}:\n${said}`);
  }
  return result.stdout;
}

/** Starts a program that runs on; its output is `stdout`. */
export function start(program, args) {
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Waits until `condition` answers something true, and answers that. */
export async function until(what, condition, { timeoutMs = 30_000, intervalMs = 20 } = {}) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Failure(`Waited ${timeoutMs} ms for ${what}`);
    await sleep(intervalMs);
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether the process itself listens on a TCP port of 127.0.0.1. */
export function listensOn(pid, port) {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const [, , , , , , , , , inode] =
    sockets.find(([, local, , state]) => local === address && state === LISTEN) ?? [];
  if (inode === undefined) return false;
  return openFiles(pid).includes(`socket:[${inode}]`);
}

/** What its file descriptors are; those that are closed meanwhile are left out. */
function openFiles(pid) {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).map((fd) => linkOf(`${folder}/${fd}`));
  } catch {
    // It has ended.
    return [];
  }
}

function linkOf(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
