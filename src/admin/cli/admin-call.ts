// One conversation with the server, its failures as sentences with their exit status.

import { statSync } from 'node:fs';
import { type ServiceError, status } from '@grpc/grpc-js';
import { AdminClient } from '../grpc/admin-client.ts';
import type { CliIo } from './cli-io.ts';
import { CliError, EXIT, exitCodeOf } from './exit-code.ts';
import { type AddressOptions, findServer, type ServerAddress } from './server-address.ts';

/** @throws CliError */
export async function callServer<T>(
  options: AddressOptions,
  io: CliIo,
  conversation: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const address = findServer(options, io);
  const client = new AdminClient(address.socket, io.clock);
  try {
    return await conversation(client);
  } catch (error) {
    throw isServiceError(error) ? failureOf(error, address) : error;
  } finally {
    client.close();
  }
}

function failureOf(error: ServiceError, address: ServerAddress): CliError {
  const exitCode = exitCodeOf(error);
  if (exitCode !== EXIT.unreachable) return new CliError(exitCode, error.details, { cause: error });
  const { socket, origin } = address;
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new CliError(exitCode, `The server at ${socket} does not answer`, { cause: error });
  }
  const where = `Cannot reach the server at ${socket} (${origin}): `;
  const code = /\b(E[A-Z]{3,})\b/.exec(error.details)?.[1] ?? '';
  if (code === 'EACCES') {
    const message = `${where}only the user who started it, and root, may. Run this command as one of them`;
    return new CliError(EXIT.denied, message, { cause: error });
  }
  const reason = (code === 'ECONNREFUSED' && noSocket(socket)) || REASONS[code] || error.details;
  const advice = 'Start it with cairn serve, or say where its socket is with --admin-socket';
  return new CliError(exitCode, `${where}${reason}. ${advice}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ENOTDIR: 'there is no such socket',
  ECONNREFUSED: 'no server runs there any more',
};

/** The system says of anything there that it refuses the connection, as it does of a socket that a server has left. */
function noSocket(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || found.isSocket()) return undefined;
  return found.isDirectory() ? 'it is a directory, no socket' : 'it is a file, no socket';
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'details' in error && 'code' in error && 'metadata' in error;
}
