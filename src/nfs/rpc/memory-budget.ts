// The memory of all connections of a server together: what it works on, and what waits for clients.

import type { TcpLimits } from './limits.ts';

/** A connection, as the budget sees it. */
export interface BudgetHolder {
  readonly stalledBytes: number;
  /** When the client last moved: sent a part of a record, or took a part of its replies. */
  readonly progressMs: number;
  /** There is room for calls again. */
  resume(): void;
  abort(reason: string): void;
}

export class MemoryBudget {
  readonly #limits: TcpLimits;
  readonly #holders: ReadonlySet<BudgetHolder>;
  readonly #waiting = new Set<BudgetHolder>();
  #callBytes = 0;
  #stalledBytes = 0;

  constructor(limits: TcpLimits, holders: ReadonlySet<BudgetHolder>) {
    this.#limits = limits;
    this.#holders = holders;
  }

  get callsAreFull(): boolean {
    return this.#callBytes >= this.#limits.callBytesInFlightTotalMax;
  }

  /** `holder` is resumed when calls are no longer full. */
  wait(holder: BudgetHolder): void {
    this.#waiting.add(holder);
  }

  forget(holder: BudgetHolder): void {
    this.#waiting.delete(holder);
  }

  addCall(bytes: number): void {
    this.#callBytes += bytes;
  }

  releaseCall(bytes: number): void {
    this.#callBytes -= bytes;
    if (this.#waiting.size === 0 || this.callsAreFull) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const holder of waiting) holder.resume();
  }

  /** A holder's stalled bytes have changed by `bytes`. */
  addStalled(bytes: number): void {
    this.#stalledBytes += bytes;
    if (bytes > 0 && this.#stalledBytes > this.#limits.stalledBytesMax) this.#closeLongestStalled();
  }

  #closeLongestStalled(): void {
    let longest: BudgetHolder | undefined;
    for (const holder of this.#holders) {
      if (holder.stalledBytes > 0 && holder.progressMs < (longest?.progressMs ?? Infinity)) longest = holder;
    }
    longest?.abort('it stalls longest, and the memory for unfinished records and untaken replies is used up');
  }
}
