// Runs `cairn …` in this process, with all that it prints.

import { EventEmitter } from 'node:events';
import type { CliIo } from '../../../src/admin/cli/cli-io.ts';
import { main } from '../../../src/admin/cli/main.ts';
import { systemClock } from '../../../src/clock.ts';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class CommandLine {
  io: CliIo;
  #stdout = '';
  #stderr = '';

  constructor(around: Partial<CliIo> = {}) {
    this.io = {
      version: '1.2.3',
      stdout: { write: (text) => (this.#stdout += text) },
      stderr: { write: (text) => (this.#stderr += text) },
      environment: {},
      workingDirectory: '/nowhere',
      clock: systemClock,
      signals: new EventEmitter(),
      exit: (status) => {
        throw new Error(`exit ${status}`);
      },
      createLog: () => ({ debug() {}, info() {}, warn() {}, error() {} }),
      runServer: () => Promise.reject(new Error('No server is run in this test')),
      checkOffline: () => {
        throw new Error('Nothing is checked in this test');
      },
      ...around,
    };
  }

  async run(...argv: string[]): Promise<CommandResult> {
    this.#stdout = '';
    this.#stderr = '';
    const status = await main(argv, this.io);
    return { status, stdout: this.#stdout, stderr: this.#stderr };
  }
}
