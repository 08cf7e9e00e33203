// kill -9 at every step of what makes, changes and deletes snapshots and datasets. A copy of the server ends itself at a
// named place on a volume that real clients have made. What the server as it is then shows is what was before the
// operation or what is after it, and nothing else has changed; the background comes to its end; `cairn check` finds
// nothing; and once everything is deleted the volume has no row and no segment that an empty one has not.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PROJECT } from '../../rig/places.mjs';
import { expect } from '../../rig/report.mjs';
import { CrashTest } from './crash-test.mjs';
import { OPERATIONS } from './operations.mjs';
import { PLACES } from './places.mjs';

/** Servers at the same time: most of a crash is waiting for two of them to start. */
const SIDE_BY_SIDE = 4;
/** With fewer rounds of `kill -9` each place has one crash, not one for each operation that comes by. */
const ALL_ROUNDS = 20;

export async function checkFailpoints({ report, undo, directory, rounds }) {
  let test;
  const isReady = await report.check('failpoints: each place is in the server, once', async () => {
    test = await CrashTest.prepare({ undo, directory: path.join(directory, 'failpoints') });
  });
  await report.check('failpoints: docs/testing.md lists all of them', async () => expectListed());
  if (!isReady) return;
  const { FAILPOINTS: part } = process.env;
  const wanted = allCrashes().filter((crash) => titleOf(crash).includes(part ?? ''));
  const crashes = part || rounds >= ALL_ROUNDS ? wanted : eachPlaceOnce(wanted);
  const crashOn = async () => {
    for (let crash = crashes.shift(); crash; crash = crashes.shift())
      await report.check(`failpoints: ${titleOf(crash)}`, () => test.crash(crash));
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, crashOn));
}

function titleOf({ operation, place, passage, next }) {
  const title = `${operation}: ${place}${passage > 1 ? ` (${passage})` : ''}`;
  return next ? `${title}, then: ${next}` : title;
}

function allCrashes() {
  return Object.entries(OPERATIONS).flatMap(([operation, { places, next = [] }]) => [
    ...places.map((one) => {
      const [place, passage] = typeof one === 'string' ? [one, 1] : one;
      return { operation, place, passage };
    }),
    ...next.map(([place, other]) => ({ operation, place, passage: 1, next: other })),
  ]);
}

function eachPlaceOnce(crashes) {
  const seen = new Set();
  return crashes.filter(({ place, next = place }) => {
    const isNew = !seen.has(place) || !seen.has(next);
    seen.add(place).add(next);
    return isNew;
  });
}

function expectListed() {
  const text = readFileSync(path.join(PROJECT, 'docs/testing.md'), 'utf8').replaceAll(/\s+/g, ' ');
  const missing = Object.keys(PLACES).filter((place) => !text.includes(`_${place}_`));
  expect(missing.length === 0, () => `not listed: ${missing.join('; ')}`);
  const killed = new Set(allCrashes().flatMap(({ place, next }) => [place, next]));
  const unused = Object.keys(PLACES).filter((place) => !killed.has(place));
  expect(unused.length === 0, () => `nothing is killed there: ${unused.join('; ')}`);
}
