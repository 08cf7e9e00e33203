// How a command finds its server: --admin-socket, else the configuration file, else the environment, else where a
// server without configuration has it.

import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readTopKeys } from '../config/config-file.ts';
import type { CliIo } from './cli-io.ts';
import { usageError } from './exit-code.ts';

export const SOCKET_VARIABLE = 'CAIRN_ADMIN_SOCKET';

export interface AddressOptions {
  readonly adminSocket?: string;
  readonly config?: string;
}

export interface ServerAddress {
  readonly socket: string;
  /** Who said so, for the one who wonders. */
  readonly origin: string;
}

export function withAddressOptions(command: Command): Command {
  return command
    .option('--admin-socket <path>', 'the admin socket of the server')
    .option('-c, --config <file>', 'the configuration file of the server, which says where its socket is');
}

/** @throws ConfigError, CliError */
export function findServer(
  { adminSocket, config }: AddressOptions,
  { environment, workingDirectory }: CliIo,
): ServerAddress {
  if (adminSocket !== undefined) {
    if (adminSocket === '') throw usageError('--admin-socket must not be empty');
    return { socket: resolve(workingDirectory, adminSocket), origin: 'given by --admin-socket' };
  }
  if (config !== undefined) {
    const file = resolve(workingDirectory, config);
    return { socket: configuredSocket(file, environment, workingDirectory), origin: `given by ${config}` };
  }
  const variable = environment[SOCKET_VARIABLE];
  if (variable)
    return { socket: resolve(workingDirectory, variable), origin: `given by $${SOCKET_VARIABLE}` };
  return { socket: resolve(workingDirectory, 'data/admin.sock'), origin: 'the default' };
}

function configuredSocket(file: string, environment: CliIo['environment'], workingDirectory: string): string {
  const { admin_socket, data_dir } = readTopKeys(file, ['admin_socket', 'data_dir'], environment);
  if (admin_socket !== undefined) return resolve(dirname(file), admin_socket);
  const dataDir =
    data_dir === undefined ? resolve(workingDirectory, 'data') : resolve(dirname(file), data_dir);
  return join(dataDir, 'admin.sock');
}
