// The server under test: ours, or nfs-ganesha to prove a suite itself (CAIRN_TEST_SERVER=ganesha).

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { answersNull } from './nfs-client.mjs';
import { freePort, needBuild, needPrograms, sharedFolder, startEnvironment, startFlags } from './places.mjs';
import { isAlive, listensOn, run, runOk, until } from './processes.mjs';
import { Failure } from './report.mjs';

const START_MS = 20_000;
const STOP_MS = 10_000;

/** One data directory and the process that serves it; it can be killed and started again on the same port. */
export class CairnServer {
  mountOptions = '';
  #child;
  #exited;

  /**
   * @param flags further flags of `cairn serve`
   * @param main  the program; a copy of dist/ for a server that is broken on purpose
   */
  constructor({
    directory,
    port,
    flags = ['--insecure-ports'],
    main = needBuild(),
    nodeFlags = startFlags(),
    env = {},
  }) {
    this.directory = directory;
    this.dataDir = path.join(directory, 'data');
    this.socket = path.join(directory, 'admin.sock');
    this.logFile = path.join(directory, 'server.log');
    this.port = port;
    this.mountPort = port;
    this.exportPath = '/';
    this.flags = flags;
    this.main = main;
    this.nodeFlags = nodeFlags;
    this.env = env;
  }

  get pid() {
    return this.#child.pid;
  }

  get serveArguments() {
    const where = [
      '--data-dir',
      this.dataDir,
      '--listen',
      `127.0.0.1:${this.port}`,
      '--admin-socket',
      this.socket,
    ];
    return [...this.nodeFlags, this.main, 'serve', ...where, ...this.flags];
  }

  /** Answers the milliseconds until the server answered its first call. */
  async start() {
    const begun = performance.now();
    mkdirSync(this.directory, { recursive: true });
    const log = openSync(this.logFile, 'a');
    const env = { ...process.env, ...startEnvironment(), ...this.env };
    this.#child = spawn(process.execPath, this.serveArguments, { stdio: ['ignore', log, log], env });
    closeSync(log);
    this.#exited = new Promise((resolve) =>
      this.#child.once('exit', (status, signal) => resolve(status ?? signal)),
    );
    await until('the server to answer', () => this.#answers(), { timeoutMs: START_MS });
    return performance.now() - begun;
  }

  async #answers() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      throw new Failure(`The server ended:\n${this.logTail()}`);
    // Another server on its port would answer too, before this one has said that it is taken.
    return listensOn(this.pid, this.port) && answersNull(this.port);
  }

  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Resolves when the process has ended by itself: with its exit status, or the name of the signal. */
  ended() {
    return this.#exited;
  }

  /** SIGTERM; answers the exit status. */
  async stop() {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return undefined;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    const status = await this.#exited;
    clearTimeout(late);
    return status;
  }

  /** Runs `cairn ARGUMENTS` against this server. */
  async cli(...args) {
    return runOk(process.execPath, [this.main, ...args, '--admin-socket', this.socket]);
  }

  /** `cairn check` on the data directory of a server that is not running. */
  async checkOffline() {
    return run(process.execPath, [this.main, 'check', '--data-dir', this.dataDir]);
  }

  logTail(lines = 30) {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** nfs-ganesha by shared/perf/ganesha.sh: a known good server, to see that a suite passes on one. */
export class GaneshaServer {
  mountOptions = 'noacl';
  #name;
  #kind;

  constructor({ directory, port, kind = 'VFS', name = `cairn-${process.pid}-${port}` }) {
    this.directory = directory;
    this.exportPath = path.join(directory, 'export');
    this.port = port;
    this.mountPort = port + 1;
    this.#name = name;
    this.#kind = kind;
  }

  async start() {
    needPrograms('bench', ['ganesha.nfsd']);
    mkdirSync(this.exportPath, { recursive: true });
    const begun = performance.now();
    const args = [this.#name, this.#kind, String(this.port), this.exportPath];
    this.pid = Number(await runOk(path.join(sharedFolder('perf'), 'ganesha.sh'), args));
    return performance.now() - begun;
  }

  async kill() {
    await this.stop('SIGKILL');
  }

  async stop(signal = 'SIGTERM') {
    if (this.pid === undefined || !isAlive(this.pid)) return;
    process.kill(this.pid, signal);
    await until('ganesha to end', () => !isAlive(this.pid));
  }
}

/** The server that CAIRN_TEST_SERVER names (ours by default) on a free port; it ends with the suite. */
export async function serverUnderTest(undo, directory, options = {}) {
  const ganesha = process.env.CAIRN_TEST_SERVER === 'ganesha';
  const port = await freePort(2);
  const server = ganesha
    ? new GaneshaServer({ directory, port })
    : new CairnServer({ directory, port, ...options });
  undo.push(() => server.stop());
  return server;
}
