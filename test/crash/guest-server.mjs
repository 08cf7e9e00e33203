// A machine that can lose its power: Node, LevelDB and ext4 in a User Mode Linux guest, its disk an image file.
//
// What a power cut loses here: the guest is killed with SIGKILL, so everything in its memory goes: what the server
// holds, and the guest's page cache, which is where each write(2) stays until fsync, fdatasync or the kernel's
// writeback (the guest's data never is in the host's page cache before the guest's block driver has sent it). What
// the driver has sent is in the image file and stays, like the blocks that a disk has written through: this disk has
// no volatile cache of its own, but it may have got the blocks in any order that the guest's kernel chose. ext4 then
// replays its journal (e2fsck), as after a real cut.

import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GUEST_EXPORT, Guest } from '../rig/guest.mjs';
import { answersNull } from '../rig/nfs-client.mjs';
import { run, runOk, until } from '../rig/processes.mjs';
import { Failure } from '../rig/report.mjs';

const DISK_BYTES = 2 * 2 ** 30;
const GUEST_PORT = 2049;
const START_MS = 60_000;
const FSCK_CORRECTED = 1;

/** Makes `image` an empty ext4. */
export async function formatDisk(image) {
  writeFileSync(image, '');
  truncateSync(image, DISK_BYTES);
  await runOk('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0', image]);
}

/** As CairnServer: `port`, `start`, `kill`; and `checkOffline`, which runs `cairn check` in the guest. */
export class GuestServer {
  mountPort;
  exportPath = '/';
  #undo;
  #folder;
  #guest;
  #boots = 0;

  /**
   * @param flags further flags of `cairn serve`
   * @param preload a library that the server, and only it, is started with
   * @param cpu the processor that the machine runs on; without it, one that no other guest is on while there are enough
   */
  constructor({ undo, folder, directory, name, port, main, flags = [], preload, cpu }) {
    this.#undo = undo;
    this.#folder = folder;
    this.name = name;
    this.port = port;
    this.mountPort = port;
    this.main = main;
    this.preload = preload;
    this.cpu = cpu;
    this.serve = this.#serve(directory, flags);
    this.image = path.join(directory, `${name}.img`);
  }

  #serve(directory, flags) {
    const config = path.join(directory, 'guest.toml');
    writeFileSync(config, GUEST_EXPORT);
    const where = `--data-dir /run/disk/data --listen 0.0.0.0:${GUEST_PORT} --admin-socket /run/admin.sock`;
    return `${process.execPath} ${this.main} serve -c ${config} ${where} --insecure-ports ${flags.join(' ')}`;
  }

  format() {
    return formatDisk(this.image);
  }

  /** Switches the machine on: fsck of the disk, boot, mount, server. */
  async start() {
    const fsck = await run('e2fsck', ['-f', '-p', this.image]);
    if (fsck.status > FSCK_CORRECTED)
      throw new Failure(`e2fsck: ${fsck.status}\n${fsck.stdout}${fsck.stderr}`);
    this.#boots += 1;
    const args = ['--ubd', this.image, '--expose', `${this.port}:${GUEST_PORT}`, '--mem', '1G'];
    if (this.cpu !== undefined) args.push('--cpu', String(this.cpu));
    this.#guest = await Guest.start(this.#undo, this.#folder, `${this.name}-${this.#boots}`, args);
    const preload = this.preload ? `LD_PRELOAD=${this.preload} ` : '';
    const serve = `${preload}setsid ${this.serve} >/run/server.log 2>&1 </dev/null & echo $! >/run/server.pid`;
    await this.#guest.execOk(`mkdir -p /run/disk; mount /dev/ubda /run/disk && (${serve})`, { cwd: '/' });
    try {
      await until('the server in the guest to answer', () => answersNull(this.port), { timeoutMs: START_MS });
    } catch (error) {
      const { stdout } = await this.#guest.exec('cat /run/server.log', { cwd: '/' });
      throw new Failure(`${error.message}; its log:\n${stdout}`);
    }
  }

  kill() {
    return this.#guest?.cutPower();
  }

  /** Stops the server in good order and runs `cairn check` on its data directory, then switches off. */
  async checkAndStop() {
    const check = `pid=$(</run/server.pid); kill $pid; while [[ -d /proc/$pid ]]; do sleep 0.1; done
      ${process.execPath} ${this.main} check --data-dir /run/disk/data`;
    const result = await this.#guest.exec(check, { cwd: '/' });
    await this.#guest.stop();
    return result;
  }
}
