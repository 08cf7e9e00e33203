// Work that goes on in the background in rounds: one after the other, whenever somebody has said that there is
// something to do.
//
//   idle --wake--> a round --woken meanwhile--> the next round
//                      \---not woken-----------> idle

export class BackgroundLoop {
  private readonly round: () => Promise<void>;
  private readonly failed: (error: unknown) => void;
  private running: Promise<void> | null = null;
  private woken = false;
  private pauses = 0;
  private ended = false;

  /** @param failed told when a round throws; the next is at the next wake */
  constructor(round: () => Promise<void>, failed: (error: unknown) => void) {
    this.round = round;
    this.failed = failed;
  }

  /** A round of many steps ends when it sees this. */
  get stopped(): boolean {
    return this.ended;
  }

  /** There is something to do: what a round under way has seen already it does not look at again. */
  wake(): void {
    if (this.ended) return;
    this.woken = true;
    if (this.pauses === 0) this.running ??= this.run();
  }

  /** No round begins until as many calls of {@link resume}; one under way ends. */
  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.pauses--;
    if (this.woken) this.wake();
  }

  /** Resolves when nothing is left to do now, or the round before a pause has ended. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** For ever; resolves when the round under way has seen that and ended. */
  async stop(): Promise<void> {
    this.ended = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.woken && this.pauses === 0 && !this.ended) {
      this.woken = false;
      try {
        await this.round();
      } catch (error) {
        this.failed(error);
      }
    }
    // In the turn of the last look at `woken`: a wake between them would begin nothing.
    this.running = null;
  }
}
