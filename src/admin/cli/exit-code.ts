// What the command's exit status says; documented in its help and in docs/admin.md, so never renumber.

import { type ServiceError, status } from '@grpc/grpc-js';

export const EXIT = {
  ok: 0,
  other: 1,
  usage: 2,
  notFound: 3,
  exists: 4,
  busy: 5,
  denied: 6,
  unreachable: 7,
  /** `cairn check` has found something wrong and not mended all of it. */
  damaged: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit status: 0 ok, 1 other failure, 2 wrong usage or value, 3 not found, 4 exists already, 5 busy, 6 denied,
7 server unreachable, 8 check found damage`;

/** Ends the command: `message` is a sentence for the person who typed it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, message);
}

/** The exit status for a call that failed. */
export function exitCodeOf({ code }: ServiceError): ExitCode {
  return EXIT_CODES.get(code) ?? EXIT.other;
}

const EXIT_CODES: ReadonlyMap<status, ExitCode> = new Map([
  [status.INVALID_ARGUMENT, EXIT.usage],
  [status.NOT_FOUND, EXIT.notFound],
  [status.ALREADY_EXISTS, EXIT.exists],
  [status.FAILED_PRECONDITION, EXIT.busy],
  [status.PERMISSION_DENIED, EXIT.denied],
  [status.UNAUTHENTICATED, EXIT.denied],
  [status.UNAVAILABLE, EXIT.unreachable],
  [status.DEADLINE_EXCEEDED, EXIT.unreachable],
]);
