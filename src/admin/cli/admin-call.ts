// One conversation with the server, its failures as sentences with their exit status.

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
  const message = exitCode === EXIT.unreachable ? unreachable(error, address) : error.details;
  return new CliError(exitCode, message, { cause: error });
}

function unreachable({ code, details }: ServiceError, { socket, origin }: ServerAddress): string {
  if (code === status.DEADLINE_EXCEEDED) return `The server at ${socket} does not answer`;
  const reason = /\b(E[A-Z]{3,})\b/.exec(details)?.[1];
  return (
    `Cannot reach the server at ${socket} (${origin}): ${REASONS[reason ?? ''] ?? details}. ` +
    'Start it with cairn serve, or say where its socket is with --admin-socket'
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'no server runs there any more',
  EACCES: 'only the user who started it may use it',
  ENOTSOCK: 'it is no socket',
};

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'details' in error && 'code' in error && 'metadata' in error;
}
