// The peer's mistakes, in two sizes: a call that is answered with a refusal, and a stream that cannot go on. Neither
// is a bug of ours; every other exception is.

/** Refusals that a call can meet, by their names in RFC 5531 §9. */
export type RpcErrorCode = keyof typeof REFUSALS;

/** accept_stat of an accepted call, or reject_stat and auth_stat of a denied one. On the wire: never renumber. */
export const REFUSALS = {
  PROG_UNAVAIL: { accepted: true, status: 1 },
  PROG_MISMATCH: { accepted: true, status: 2 },
  PROC_UNAVAIL: { accepted: true, status: 3 },
  GARBAGE_ARGS: { accepted: true, status: 4 },
  SYSTEM_ERR: { accepted: true, status: 5 },
  RPC_MISMATCH: { accepted: false, status: 0 },
  AUTH_BADCRED: { accepted: false, status: 1 },
  AUTH_REJECTEDCRED: { accepted: false, status: 2 },
  AUTH_BADVERF: { accepted: false, status: 3 },
  AUTH_REJECTEDVERF: { accepted: false, status: 4 },
  AUTH_TOOWEAK: { accepted: false, status: 5 },
  AUTH_FAILED: { accepted: false, status: 7 },
} as const;

/** Thrown by a procedure, or while its call is read: the reply says `code`. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcErrorCode;
  /** Versions that are served, for the two mismatches. */
  readonly low: number;
  readonly high: number;

  constructor(
    code: RpcErrorCode,
    message: string,
    versions: { low: number; high: number } = { low: 0, high: 0 },
  ) {
    super(message);
    this.code = code;
    this.low = versions.low;
    this.high = versions.high;
  }
}

/** The stream is no sequence of calls: no reply is possible and the connection is closed, with this as the reason. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
}
