// The calls of one connection, as far as they tell a call that is sent again from a new one under an old number.
//
// A client that has lost its connection repeats, on a new one, the calls whose replies it has not seen. Linux comes back
// from the same port, others (libnfs, macOS) from any. Some programs, though, number their calls from the same xid on each
// connection, and do the same things again: to answer those from what is kept would be to do nothing and say that it is
// done. The two differ in what came behind the reply. Who has taken a reply and goes on with another call will not ask
// again; calls that were under way together came before any of their replies left.
//
//   calls    1     2     3          one at a time: 3, of the last turn, may come again from another port, 1 and 2 may not
//   turn     1     2     3
//
// A client that has up to n calls under way at once sends n-1 more, perhaps, before it misses a reply: that many turns
// may follow. How many it has cannot be seen over a slow line, where replies are under way as well: eight calls in 50 ms,
// each answered in a third of one, look as if they came one at a time. So more turns may follow, unless the new
// connection began with the xid that the old one began with, as those do that number from the same one.

/** Turns that may follow a reply that is missed; clients have fewer calls under way. */
const TURNS_MISSED_MAX = 64;
const NO_CALL = -1;

export class Conversation {
  readonly address: string;
  readonly port: number;
  /** Of its first call. */
  #firstXid = NO_CALL;
  /** How often more calls have come, as an int32. Counted with every read of every connection. */
  turn = 0;
  /** One of its calls was another one than was answered under its number on an earlier connection. */
  numbersAnew = false;
  /** Most calls under way at once, so far. */
  #depth = 1;
  #calls = 0;

  constructor(address: string, port: number) {
    this.address = address;
    this.port = port;
  }

  /** A call has come. */
  called(xid: number): void {
    if (this.#firstXid === NO_CALL) this.#firstXid = xid;
  }

  /** More calls have come than the first `calls`, of which `waiting` are not answered yet. */
  wentOn(calls: number, waiting: number): void {
    this.turn = (this.turn + 1) | 0;
    const together = Math.max(calls - this.#calls, waiting + 1);
    this.#calls = calls;
    if (together > this.#depth) this.#depth = together;
  }

  /** A client that comes back from where it was goes on with its numbers. */
  isSameAs(other: Conversation): boolean {
    return this === other || (this.port === other.port && this.address === other.address);
  }

  /** Whether one of its calls can be the repetition of a like one of `other`, answered in `turn` of that. */
  mayRepeat(other: Conversation, turn: number): boolean {
    return this.isSameAs(other) || (!this.numbersAnew && other.#turnsSince(turn) < this.#missed(other));
  }

  #turnsSince(turn: number): number {
    return (this.turn - turn) | 0;
  }

  /** Behind so many of the other's turns it may have no reply yet. */
  #missed(other: Conversation): number {
    const beginsAlike = this.#firstXid === other.#firstXid && this.#firstXid !== NO_CALL;
    return beginsAlike ? other.#depth : Math.max(other.#depth, TURNS_MISSED_MAX);
  }
}
