// A User Mode Linux guest of the kernel client (shared/kernel-client): a real Linux NFS client, or a whole machine
// that can lose its power.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { needPrograms, needRoot, sharedFolder } from './places.mjs';
import { isAlive, run, runOk, until } from './processes.mjs';
import { Failure, Missing } from './report.mjs';

const PROGRAMS = [
  'linux.uml',
  'unshare',
  'nsenter',
  'setpriv',
  'ip',
  'taskset',
  'cc',
  'mount.nfs',
  'modprobe',
];

const RESEND_MIN = '2ms';

/** What a server inside a guest's network needs: beyond loopback it refuses to start without a rule for whom it serves. */
export const GUEST_EXPORT = `[[export]]
network = ["127.0.0.0/8", "10.11.0.0/16"]
squash = "none"
secure = false
`;

/** The kernel client's folder: KERNEL_CLIENT, else shared/kernel-client. Ends the suite when it cannot run here. */
export function kernelClientFolder(suite) {
  const named = process.env.KERNEL_CLIENT;
  const folder = named && named !== 'host' ? named : sharedFolder('kernel-client');
  const script = path.join(folder, 'kernel-client.sh');
  if (!existsSync(script))
    throw new Missing(`${script}: set KERNEL_CLIENT to the folder of kernel-client.sh`);
  needPrograms(suite, PROGRAMS);
  needRoot('the kernel client makes a network namespace and a tap device');
  if (!existsSync('/dev/net/tun')) throw new Missing('/dev/net/tun: the kernel client needs the tun driver');
  return folder;
}

export class Guest {
  #script;

  constructor(folder, name) {
    this.#script = path.join(folder, 'kernel-client.sh');
    this.name = `cairn-${process.pid}-${name}`;
  }

  /** Boots the guest and mounts what `args` name; it ends with the suite. */
  static async start(undo, folder, name, args) {
    const guest = new Guest(folder, name);
    undo.push(() => run(guest.#script, ['--stop', guest.name]));
    await runOk(guest.#script, ['--start', guest.name, ...args]);
    await guest.#wakeSoon();
    return guest;
  }

  /**
   * The guest's network driver misses a packet now and then, until the next one comes: one of a few hundred calls then
   * took the 200 ms after which TCP sends again, with whatever server. On the tap it does so after some milliseconds.
   */
  async #wakeSoon() {
    const inside = (...args) => runOk('nsenter', ['-t', String(this.#pid()), '-n', 'ip', ...args]);
    for (const { dst, dev, prefsrc } of JSON.parse(await inside('-json', 'route'))) {
      await inside('route', 'change', dst, 'dev', dev, 'src', prefsrc, 'rto_min', RESEND_MIN);
    }
  }

  #pid() {
    return Number(readFileSync(path.join(this.#state, 'pid'), 'utf8').split(' ')[0]);
  }

  get #state() {
    return `/dev/shm/kernel-client.${process.getuid()}/inst/${this.name}`;
  }

  /** Runs a bash script in the guest, in its first mount ($MNT); answers `{ status, stdout, stderr }`. */
  exec(script, { timeoutS = 120, cwd } = {}) {
    const where = cwd ? ['--cwd', cwd] : [];
    const args = ['--exec', this.name, '--timeout', String(timeoutS), ...where, '--', 'bash', '-c', script];
    return run(this.#script, args, { timeoutMs: (timeoutS + 30) * 1000 });
  }

  /** As `exec`, but a status other than 0 fails the check. */
  async execOk(script, options) {
    const { status, stdout, stderr } = await this.exec(script, options);
    if (status !== 0) {
      throw new Failure(
        `In the guest: ${script.slice(0, 500)}\nended with ${status}:\n${stdout}${stderr}`.slice(-4000),
      );
    }
    return stdout;
  }

  stop() {
    return run(this.#script, ['--stop', this.name]);
  }

  /** Ends the guest as a power cut does: nothing in it runs again, nothing is synced. */
  async cutPower() {
    if (!existsSync(this.#state)) return;
    const pid = this.#pid();
    process.kill(pid, 'SIGKILL');
    await until('the guest to be gone', () => !isAlive(pid));
    await this.stop();
  }
}
