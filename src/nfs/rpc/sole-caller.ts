// Whether one connection alone is calling: what it waits for keeps nobody else waiting.

/** So long without a call of another one. A client that is at work calls many times in that. */
const SOLE_MS = 10;

export class SoleCaller {
  private last: object | undefined;
  private sinceMs = 0;

  /** Bytes of a call have come. */
  called(connection: object, nowMs: number): void {
    if (connection === this.last) return;
    this.last = connection;
    this.sinceMs = nowMs;
  }

  isSole(nowMs: number): boolean {
    return nowMs - this.sinceMs >= SOLE_MS;
  }
}
