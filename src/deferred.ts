// A promise with its handles outside (Node 20 has no Promise.withResolvers). A rejection that nobody waits for is
// no unhandled one: whoever waits later still sees it.

export class Deferred {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}
