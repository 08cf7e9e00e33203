// One crash: an operation is under way when the server comes by a place, and the next server is asked what became of it.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../rig/places.mjs';
import { until } from '../../rig/processes.mjs';
import { expect, Failure } from '../../rig/report.mjs';
import { CairnServer } from '../../rig/servers.mjs';
import { KilledServer, patchedServer } from './killed-server.mjs';
import { atRest, deleteAll, newRows, rowsOf } from './leaks.mjs';
import { Load } from './load.mjs';
import { OPERATIONS } from './operations.mjs';
import { accounted, differences, differsFromAfter, same, shown } from './shown.mjs';
import { makeVolume, useNumbers, withAdmin } from './volume.mjs';

const ACCOUNTED_MS = 20_000;
/** Where others write meanwhile. */
const LOADED = 'other';
/** The load would come by these first. */
const OF_ANY_CHANGE = ['a batch is built', 'a batch is written', 'the journal is in LevelDB'];

export class CrashTest {
  #undo;
  #directory;
  #main;
  #rowsBefore;
  /** What the template shows. */
  #before;
  #afters = new Map();
  #copies = 0;

  constructor({ undo, directory }) {
    this.#undo = undo;
    this.#directory = directory;
  }

  static async prepare({ undo, directory }) {
    mkdirSync(directory);
    // What is begun without being told would be another operation.
    writeFileSync(path.join(directory, 'config.toml'), 'auto_detach = false\n');
    const test = new CrashTest({ undo, directory });
    test.#main = patchedServer(path.join(directory, 'copy'));
    const server = await test.#server(test.#template);
    await server.start();
    await useNumbers(server);
    await deleteAll(server);
    test.#rowsBefore = await rowsOf(server);
    await server.start();
    await makeVolume(server);
    await atRest(server);
    test.#before = { shown: await shown(server), accounts: await accounted(server) };
    await server.stop();
    return test;
  }

  /** Answers what became of it. */
  async crash({ operation, place, passage, next }) {
    const after = await this.#after(operation);
    const directory = this.#copy();
    const { isAcknowledged, load } = await this.#killDuring(directory, { operation, place, passage });
    if (next) await this.#killNext(directory, next);
    const server = await this.#server(directory);
    await server.start();
    const now = await shown(server);
    let became = this.#whatBecame(operation, now, after, true);
    const lost = (await load?.lost(server, LOADED)) ?? [];
    expect(lost.length === 0, () => lost.slice(0, 10).join('\n'));
    became = await this.#expectEnded(server, { operation, now, after, became });
    expect(became === 'whole' || !isAcknowledged, `acknowledged, and ${became}`);
    await this.#expectNothingLeft(server);
    rmSync(directory, { recursive: true });
    return `${became}${isAcknowledged ? ', acknowledged' : ''}`;
  }

  get #flags() {
    return ['--insecure-ports', '-c', path.join(this.#directory, 'config.toml')];
  }

  get #template() {
    return path.join(this.#directory, 'template');
  }

  #copy() {
    const directory = path.join(this.#directory, String(this.#copies++));
    cpSync(path.join(this.#template, 'data'), path.join(directory, 'data'), { recursive: true });
    return directory;
  }

  async #server(directory) {
    const server = new CairnServer({ directory, port: await freePort(), flags: this.#flags });
    this.#undo.push(() => server.stop());
    return server;
  }

  async #killedServer(directory, where) {
    const parts = { directory, port: await freePort(), flags: this.#flags, main: this.#main };
    const server = new KilledServer({ ...parts, ...where });
    this.#undo.push(() => server.stop());
    return server;
  }

  /** What is there after an operation of which nothing is killed. */
  #after(operation) {
    if (!this.#afters.has(operation)) this.#afters.set(operation, this.#run(OPERATIONS[operation]));
    return this.#afters.get(operation);
  }

  async #run({ prepare, run }) {
    const server = await this.#server(this.#copy());
    await server.start();
    await prepare?.(server);
    await withAdmin(server, (admin) => run({ admin, server }));
    await atRest(server);
    const after = { shown: await shown(server), accounts: await accounted(server) };
    await server.stop();
    return after;
  }

  async #killDuring(directory, { operation, place, passage }) {
    const { prepare, run } = OPERATIONS[operation];
    const server = await this.#killedServer(directory, { place, passage });
    await server.start();
    await prepare?.(server);
    const load = OF_ANY_CHANGE.includes(place) ? undefined : new Load();
    await load?.begin(server, LOADED);
    server.arm();
    const isAcknowledged = await withAdmin(server, (admin) =>
      run({ admin, server }).then(
        () => true,
        () => false,
      ),
    );
    await server.expectKilled();
    await load?.end();
    return { isAcknowledged, load };
  }

  async #killNext(directory, place) {
    const server = await this.#killedServer(directory, { place, passage: 1 });
    server.arm();
    await server.start().catch(() => {});
    await server.expectKilled();
  }

  /**
   * Jobs and what else goes on behind the operation come to their end, and but for what a job makes nobody sees anything
   * of it. Answers what became of the operation then.
   */
  async #expectEnded(server, { operation, now, after, became }) {
    const { isInTheMaking, unpromised } = OPERATIONS[operation];
    await atRest(server);
    const seen = await shown(server);
    const then = isInTheMaking ? this.#whatBecame(operation, seen, after) : became;
    if (!isInTheMaking) {
      const changed = differences(seen, now, (name, one) => same(one, now.get(name)));
      expect(changed.length === 0, () => `when all was at rest:\n${changed.slice(0, 10).join('\n')}`);
    }
    // Where nobody knows which bytes there are, nobody knows how many are kept.
    if (!unpromised) await expectAccounted(server, this.#before, after);
    const findings = await withAdmin(server, (admin) => admin.findings());
    expect(findings.length === 0, () => JSON.stringify(findings.slice(0, 10), null, 1));
    return then;
  }

  /** @returns 'whole' or 'absent'; fails when it is neither */
  #whatBecame(operation, now, after, isRunning = false) {
    const { unpromised, isInTheMaking: isAgain = () => false } = OPERATIONS[operation];
    const isAny = (name) => name === unpromised || (isRunning && isAgain(name));
    const before = this.#before.shown;
    const asAfter = differsFromAfter(now, { before, after: after.shown }, { isAny, isAgain });
    if (asAfter.length === 0) return 'whole';
    const asBefore = differences(now, before, (name, one) => same(one, before.get(name)), isAny);
    if (asBefore.length === 0) return 'absent';
    const list = (offences) => offences.slice(0, 8).join('\n');
    throw new Failure(`neither as before:\n${list(asBefore)}\nnor as after:\n${list(asAfter)}`);
  }

  async #expectNothingLeft(server) {
    await deleteAll(server);
    const left = newRows(await rowsOf(server), this.#rowsBefore);
    expect(left.length === 0, () => `${left.length} rows are left:\n${left.slice(0, 20).join('\n')}`);
  }
}

async function expectAccounted(server, before, after) {
  let accounts;
  const isRight = async () => {
    accounts = await accounted(server);
    return accounts === before.accounts || accounts === after.accounts;
  };
  await until('the accounting', isRight, { timeoutMs: ACCOUNTED_MS }).catch((error) => {
    throw new Failure(
      `${error.message}:\n${accounts}\nbefore:\n${before.accounts}\nafter:\n${after.accounts}`,
    );
  });
}
