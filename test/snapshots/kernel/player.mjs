// The program that plays the isolation table in the guest (guest/player.py), as the suite sees it. Orders and answers go
// through named pipes in the guest, so that neither side polls: a guest's timers may be late by minutes on a busy host.

import path from 'node:path';
import { PROJECT } from '../../rig/places.mjs';
import { Failure } from '../../rig/report.mjs';

const PROGRAM = path.join(PROJECT, 'test/snapshots/kernel/guest/player.py');
export const TABLE_FILE = path.join(PROJECT, 'test/snapshots/isolation/table.json');
const ORDERS = '/run/isolation.orders';
const ANSWERS = '/run/isolation.answers';
const ORDER_S = 300;
const ALL_S = 3600;

export class Player {
  #client;
  #ended;

  constructor(client, ended) {
    this.#client = client;
    this.#ended = ended;
  }

  static async start(client, { port, mountPort }) {
    await client.execOk(`mkfifo ${ORDERS} ${ANSWERS}`);
    const script = `exec python3 ${PROGRAM} ${TABLE_FILE} ${ORDERS} ${ANSWERS} ${port} ${mountPort}`;
    return new Player(client, client.exec(script, { timeoutS: ALL_S, cwd: '/' }));
  }

  /** What the player answers; a failure of its own fails the check. */
  async order(what, details = {}) {
    const script = `cat > ${ORDERS} <<'ORDER'\n${JSON.stringify({ do: what, ...details })}\nORDER\ncat ${ANSWERS}`;
    const answered = this.#client.execOk(script, { timeoutS: ORDER_S, cwd: '/' });
    const ended = this.#ended.then(({ stdout, stderr }) => {
      throw new Failure(`The player ended:\n${stdout}${stderr}`);
    });
    const { said, failed } = JSON.parse(await Promise.race([answered, ended]));
    if (failed) throw new Failure(`The player cannot ${what} ${details.path ?? ''}:\n${failed}`);
    return said;
  }

  async end() {
    await this.#client.execOk(`echo '{"do": "end"}' > ${ORDERS}`, { cwd: '/' });
    await this.#ended;
  }
}
