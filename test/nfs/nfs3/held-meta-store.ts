// A store whose writes wait until a test lets them through or makes them fail, and whose gets can be broken.

import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import type { Write } from '../../../src/kv/meta-store.ts';

export class HeldMetaStore extends MemoryMetaStore {
  /** Thrown by every get. */
  broken: Error | undefined;
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  /** Writes from now on wait. */
  hold(): void {
    this.#gate = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#fail = reject;
    });
  }

  release(): void {
    this.#open();
  }

  fail(error: Error): void {
    this.#fail(error);
  }

  override get(key: Buffer): Buffer | undefined {
    if (this.broken) throw this.broken;
    return super.get(key);
  }

  override async write(batch: readonly Write[], durable: boolean): Promise<void> {
    await this.#gate;
    await super.write(batch, durable);
  }
}
