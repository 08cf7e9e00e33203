// A copy of the server that kills itself with SIGKILL when it comes by a place. One copy has all places. Which one is
// meant, and at which passage, is said by the environment to a module that the copy is started with; passages count from
// when a file is there, so that what a test prepares does not.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFlags } from '../../rig/places.mjs';
import { expect } from '../../rig/report.mjs';
import { CairnServer } from '../../rig/servers.mjs';
import { patchedCopy } from '../patched-copy.mjs';
import { PLACES } from './places.mjs';

const DEATH_MS = 20_000;

const PRELOADED = `
import { existsSync } from 'node:fs';

const { FAILPOINT, FAILPOINT_PASSAGE, FAILPOINT_ARMED } = process.env;
let passages = Number(FAILPOINT_PASSAGE);

globalThis.failpoint = (place) => {
  if (place !== FAILPOINT || !existsSync(FAILPOINT_ARMED)) return;
  passages--;
  if (passages === 0) process.kill(process.pid, 'SIGKILL');
};
`;

/** Answers the copy's program. Fails when a place is not where it should be. */
export function patchedServer(project) {
  const main = patchedCopy(project, Object.entries(PLACES).map(patchOf));
  writeFileSync(preloaded(main), PRELOADED);
  return main;
}

function patchOf([place, { file, before, behind }]) {
  const call = `failpoint(${JSON.stringify(place)});`;
  return before
    ? { file, text: before, instead: `${call} ${before}` }
    : { file, text: behind, instead: `${behind} ${call}` };
}

const preloaded = (main) => path.join(path.dirname(main), 'failpoint.mjs');

/** Ends when it comes by `place` for the `passage`th time behind {@link arm}. */
export class KilledServer extends CairnServer {
  #armed;
  #place;

  constructor({ directory, port, flags, main, place, passage }) {
    mkdirSync(directory, { recursive: true });
    const armed = path.join(directory, 'armed');
    super({
      directory,
      port,
      flags,
      main,
      nodeFlags: [...startFlags(), '--import', preloaded(main)],
      env: { FAILPOINT: place, FAILPOINT_PASSAGE: String(passage), FAILPOINT_ARMED: armed },
    });
    this.#armed = armed;
    this.#place = place;
  }

  arm() {
    writeFileSync(this.#armed, '');
  }

  async expectKilled() {
    const late = new AbortController();
    const timeout = sleep(DEATH_MS, 'nothing', { signal: late.signal }).catch(() => {});
    const status = await Promise.race([this.ended(), timeout]);
    late.abort();
    expect(status !== 'nothing', `the server never came by "${this.#place}"`);
    expect(status === 'SIGKILL', () => `the server ended with ${status}:\n${this.logTail()}`);
  }
}
