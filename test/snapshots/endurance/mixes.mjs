// The load of the endurance test: rounds of a compile and of an untar, by the generator of shared/perf, at the same time.
// What an untar has made is removed two rounds later.

const ROUND_S = 2;
const SOURCES = 200;
const SOURCE_BYTES = 8192;

export class Mixes {
  #volume;
  #dataset;
  #isEnding = false;
  #running;
  #rollbacks = 0;
  #wasRolledBack = false;
  rounds = 0;
  calls = 0;
  faults = [];

  constructor(volume, dataset) {
    this.#volume = volume;
    this.#dataset = dataset;
  }

  start() {
    this.#running = this.#run();
  }

  /** The dataset is rolled back: what fails in this round is not the server's fault, for what it is about may be gone. */
  rollBack() {
    this.#rollbacks++;
    this.#wasRolledBack = true;
  }

  async end() {
    this.#isEnding = true;
    await this.#running;
  }

  async #run() {
    while (!this.#isEnding) {
      this.#wasRolledBack = false;
      const round = this.rounds++;
      const seconds = ['--seconds', String(ROUND_S)];
      const tree = ['--files', String(SOURCES), '--size', String(SOURCE_BYTES)];
      // A rollback brings back what a compile had half done, so the next one has a directory of its own.
      await Promise.all([
        this.#step([
          '--wl',
          'compile',
          '--dir',
          `compile${this.#rollbacks}`,
          '--depth',
          '4',
          ...tree,
          ...seconds,
        ]),
        this.#step(['--wl', 'untar', '--dir', `untar${round}`, '--depth', '4', '--stable', '0', ...seconds]),
        this.#remove(`untar${round - 2}`),
      ]);
    }
  }

  async #step(args) {
    try {
      const { errors, err, rpcs } = await this.#volume.generate(this.#dataset, args);
      this.calls += rpcs;
      if (errors > 0) this.#fault(args, `${errors} errors, the first: ${err}`);
    } catch (error) {
      this.#fault(args, error.message);
    }
  }

  async #remove(directory) {
    const { status, stderr } = await this.#volume.remove(this.#dataset, directory);
    if (status !== 0) this.#fault(['rmtree', directory], stderr);
  }

  #fault(args, what) {
    if (!this.#wasRolledBack) this.faults.push(`${args.join(' ')}: ${what}`);
  }
}
