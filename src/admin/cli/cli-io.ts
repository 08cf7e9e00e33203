// What the command line has around it, and what it calls to serve or to check: given from outside, so that a test can
// run whole commands in one process.

import type { Clock } from '../../clock.ts';
import type { AdminLog } from '../admin-log.ts';
import type { Environment } from '../config/environment.ts';
import type { Settings } from '../config/settings.ts';
import type { CheckEvent, CheckOptions, ManagedServer } from '../managed-server.ts';

export interface CliIo {
  readonly version: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly clock: Clock;
  /** SIGTERM, SIGINT and SIGHUP, as `process` emits them. */
  readonly signals: NodeJS.EventEmitter;
  /** At once, whatever is under way. */
  exit(status: number): void;
  createLog(settings: Settings['log']): AdminLog;
  runServer: RunServer;
  /** Of the data directory of a server that does not run. @throws StartError */
  checkOffline(settings: Settings, options: CheckOptions): AsyncIterable<CheckEvent>;
}

interface Output {
  /** Bytes only where they may be no text. */
  write(text: string | Uint8Array): unknown;
}

/** @throws StartError with what the person who starts it can do */
export type RunServer = (start: ServerStart) => Promise<RunningServer>;

export interface ServerStart {
  /** Of the program. */
  readonly version: string;
  readonly settings: Settings;
  readonly log: AdminLog;
  /** The settings as file and flags say now. @throws ConfigError */
  readonly reloadSettings: () => Settings;
}

export interface RunningServer extends Pick<ManagedServer, 'datasets' | 'exports'> {
  /** Says in the log what is served, and where: for one that is not stopped before it serves. */
  announce(): void;
  /** Takes no more calls, answers those in flight, writes all back and closes, in at most `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
  /** Reads the export rules again. @throws ConfigError, and then the old ones stay */
  reloadExports(): Promise<unknown>;
}
