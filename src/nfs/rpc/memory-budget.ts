// The memory of all connections of a server together: what it works on, and what waits for clients.

import type { TcpLimits } from './limits.ts';

/** A connection, as the budget sees it. */
export interface BudgetHolder {
  /** Calls that it has in flight, and the replies that they may take. */
  readonly callBytes: number;
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

  /** Whether `holder` has as much as is left: who has little finds room when others have all that they may. */
  isFullFor({ callBytes }: BudgetHolder): boolean {
    return callBytes >= this.#limits.callBytesInFlightTotalMax - this.#callBytes;
  }

  /** `holder` is resumed when calls are no longer full for it. */
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
    // Who waits again, waits behind the others.
    for (const holder of this.#waiting) {
      if (this.#callBytes >= this.#limits.callBytesInFlightTotalMax) return;
      if (this.isFullFor(holder)) continue;
      this.#waiting.delete(holder);
      holder.resume();
    }
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
