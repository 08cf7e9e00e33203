// How failures are said in gRPC.

import { status } from '@grpc/grpc-js';
import { DatasetError, type DatasetErrorCode } from '../../datasets/datasets.ts';
import { ConfigError } from '../config/config-error.ts';

const STATUS = {
  'not-found': status.NOT_FOUND,
  exists: status.ALREADY_EXISTS,
  busy: status.FAILED_PRECONDITION,
  invalid: status.INVALID_ARGUMENT,
  denied: status.PERMISSION_DENIED,
  'no-space': status.RESOURCE_EXHAUSTED,
  unimplemented: status.UNIMPLEMENTED,
} as const satisfies Record<DatasetErrorCode, status>;

export interface GrpcFailure {
  readonly code: status;
  /** The sentence for the one who asked. */
  readonly details: string;
}

/** Undefined for what the caller has not caused and cannot mend: a bug, or damage. */
export function grpcFailureOf(error: unknown): GrpcFailure | undefined {
  if (error instanceof DatasetError) return { code: STATUS[error.code], details: error.message };
  if (error instanceof ConfigError) return { code: status.INVALID_ARGUMENT, details: error.message };
  return undefined;
}
