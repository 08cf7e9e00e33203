// What a TCP server allows, so that no client can take its memory or its attention from the others. Reading stops at a
// limit and goes on when there is room again, so nothing is dropped; only what cannot end well is closed, with the
// reason in the log.
//
// What clients can make a server hold is bounded by the sum of
//
//   connectionsMax x 128 KiB            receive regions (only touched pages count)
//   callBytesInFlightTotalMax           calls that the server works on and the replies they may take, plus one of each
//   stalledBytesMax                     what waits for clients, plus one record or one turn's replies

export interface TcpLimits {
  /** One more is closed at once. */
  readonly connectionsMax: number;
  /** Calls that wait for their answer, per connection. */
  readonly callsInFlightMax: number;
  /** Bytes of those calls' records. */
  readonly callBytesInFlightMax: number;
  /**
   * The same of all connections together, and the replies that the calls may take. No connection has more of it than it
   * leaves to the next one, so that those with large calls do not keep others waiting.
   */
  readonly callBytesInFlightTotalMax: number;
  /** Replies that the client has not taken, or that its calls in flight may take: past it no more calls are read. */
  readonly replyBacklogBytesMax: number;
  /** Unfinished records and untaken replies of all connections; past it the one that stalls longest is closed. */
  readonly stalledBytesMax: number;
  /** Without a call for so long, a connection is closed. */
  readonly idleMs: number;
}

export const defaultLimits: TcpLimits = {
  connectionsMax: 4096,
  callsInFlightMax: 256,
  callBytesInFlightMax: 16 * 1024 * 1024,
  callBytesInFlightTotalMax: 256 * 1024 * 1024,
  replyBacklogBytesMax: 8 * 1024 * 1024,
  stalledBytesMax: 512 * 1024 * 1024,
  idleMs: 10 * 60 * 1000,
};
