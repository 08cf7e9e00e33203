// Negative controls: a server or a machine that breaks its promises must be found out, or the rounds prove nothing.

import { crashRound } from './rounds.mjs';

const ROUNDS = 5;

/** Crashes a server that lies until the oracle finds it out; answers what it found. */
export async function firstOffence(server, load) {
  await server.start();
  for (let round = 1; round <= ROUNDS; round++) {
    let offences;
    try {
      ({ offences } = await crashRound(server, load));
    } catch (error) {
      // That the server does not even start again is a loss of all that it promised.
      return `round ${round}: ${error.message.split('\n')[0]}`;
    }
    if (offences.length > 0) return `round ${round}: ${offences.length} offences, the first: ${offences[0]}`;
  }
  throw new Error(`the oracle found nothing in ${ROUNDS} rounds: it would not find a real loss either`);
}
