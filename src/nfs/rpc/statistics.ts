// Plain counters that the server keeps and anybody reads: nothing here is on the wire or on disk.

/** Bucket i counts calls that took less than 2^i microseconds; the last one also all longer ones. */
const LATENCY_BUCKETS = 26;

export class ProcedureStatistics {
  readonly name: string;
  calls = 0;
  /** Calls answered with a refusal of RPC's own, SYSTEM_ERR among them. */
  refusals = 0;
  bytesReceived = 0;
  latencyMs = 0;
  readonly latencyBuckets = new Float64Array(LATENCY_BUCKETS);
  /** Answers by their status, those that are not OK (0). What answers has few statuses, and no client chooses them. */
  readonly failures = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** Counts a failing answer: a result that has a `status`, or its bytes, of which that is the first word. */
  answered(result: unknown): void {
    const status = result instanceof Buffer ? firstWord(result) : (result as { status?: number })?.status;
    if (status) this.failures.set(status, (this.failures.get(status) ?? 0) + 1);
  }

  record(ms: number): void {
    this.latencyMs += ms;
    const bucket = 32 - Math.clz32(ms * 1000);
    this.latencyBuckets[bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1]! += 1;
  }
}

function firstWord(bytes: Buffer): number {
  return bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
}

export interface ProgramStatistics {
  readonly program: number;
  readonly version: number;
  readonly name: string;
  /** By number, as in the program's table. */
  readonly procedures: readonly (ProcedureStatistics | undefined)[];
}

export class ServerStatistics {
  readonly programs: readonly ProgramStatistics[];
  connectionsAccepted = 0;
  /** Over the limit of connections. */
  connectionsRefused = 0;
  /** Closed by us for what the peer sent, or did not send. */
  connectionsClosed = 0;
  bytesReceived = 0;
  bytesSent = 0;
  callsInFlight = 0;
  /** Calls that never got as far as a procedure. */
  callsRefused = 0;

  constructor(programs: readonly ProgramStatistics[]) {
    this.programs = programs;
  }
}
