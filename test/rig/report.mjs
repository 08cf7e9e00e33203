// What every heavy suite prints: one line per check, and at the end `N passed, N failed, N skipped` alone.
//
// Exit status: 0 all passed, 1 something failed, 77 something that the suite needs is not installed.

import { performance } from 'node:perf_hooks';

const EXIT_MISSING = 77;

/** Ends the suite because the machine lacks something; the message names it and says how to get it. */
export class Missing extends Error {}

class Report {
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  get failed() {
    return this.#failed;
  }

  /** Runs one check; it fails by throwing. What it returns, if a string, is printed behind its name. */
  async check(name, body) {
    const start = performance.now();
    try {
      const detail = await body();
      this.pass(
        typeof detail === 'string' && detail ? `${name}: ${detail}` : name,
        performance.now() - start,
      );
      return true;
    } catch (error) {
      if (error instanceof Missing) throw error;
      this.fail(name, error, performance.now() - start);
      return false;
    }
  }

  pass(name, ms) {
    this.#passed += 1;
    console.log(`PASS ${name} (${Math.round(ms)} ms)`);
  }

  fail(name, error, ms) {
    this.#failed += 1;
    console.log(`FAIL ${name} (${Math.round(ms)} ms)`);
    const text = error instanceof Error ? (error.detail ?? error.stack ?? error.message) : String(error);
    for (const line of text.trimEnd().split('\n').slice(-40)) console.log(`     ${line}`);
  }

  skip(name, why) {
    this.#skipped += 1;
    console.log(`SKIP ${name}: ${why}`);
  }

  finish() {
    // A misspelt part would else be green.
    if (this.#passed + this.#failed + this.#skipped === 0)
      this.fail('the suite itself', 'nothing was checked: there is no such part', 0);
    console.log(`${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped`);
    return this.#failed === 0 ? 0 : 1;
  }
}

/**
 * Runs a suite and ends the process with its status. `body` gets the report and a stack of things to undo: what it
 * pushes there is awaited in reverse order however the suite ends.
 */
export async function runSuite(body) {
  const report = new Report();
  const undo = [];
  const undoAll = async () => {
    for (const step of undo.splice(0).reverse()) {
      await Promise.resolve()
        .then(step)
        .catch((error) => console.error(`clean-up: ${error.message}`));
    }
  };
  // A signal makes the body fail as well, and the process must not end before what the signal has begun to undo.
  let undone = Promise.resolve();
  const stop = () => {
    undone = undone.then(undoAll);
    return undone;
  };
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => stop().then(() => process.exit(1)));
  }
  let status;
  try {
    await body(report, undo);
    await stop();
    status = report.finish();
  } catch (error) {
    await stop();
    if (error instanceof Missing) {
      console.error(`missing: ${error.message}`);
      report.skip('the rest of the suite', `missing ${error.message}`);
      report.finish();
      status = EXIT_MISSING;
    } else {
      report.fail('the suite itself', error, 0);
      status = report.finish();
    }
  }
  process.exit(status);
}

/** Fails the check that calls it unless `condition` holds. */
export function expect(condition, message) {
  if (!condition) throw new Failure(typeof message === 'function' ? message() : message);
}

/** A failed expectation: its words are enough, a stack would only hide them. */
export class Failure extends Error {
  get detail() {
    return this.message;
  }
}
