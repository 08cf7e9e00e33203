// The peers of our server in a guest: the kernel's own NFS server, and nfs-ganesha, each in a guest with a disk of the
// kind that ours gets (GuestServer).

import path from 'node:path';
import { formatDisk } from '../test/crash/guest-server.mjs';
import { Guest } from '../test/rig/guest.mjs';
import { answersNull } from '../test/rig/nfs-client.mjs';
import { freePort, needPrograms, sharedFolder } from '../test/rig/places.mjs';
import { until } from '../test/rig/processes.mjs';

const NFS_PORT = 2049;
const KNFSD_MOUNT_PORT = 20048;
const START_MS = 60_000;

class PeerGuest {
  #place;
  #inside;

  /**
   * @param place `{ undo, folder, directory, cpu }`
   * @param port  on this machine, of two that lead to the guest's
   * @param inside what is in the guest: the `programs` that it needs, the `script` that starts it, its `mountPort`
   */
  constructor(place, { name, port, exportPath, mountOptions, ...inside }) {
    this.#place = place;
    this.#inside = inside;
    this.name = name;
    this.port = port;
    this.mountPort = port + 1;
    this.exportPath = exportPath;
    this.mountOptions = mountOptions;
    this.image = path.join(place.directory, `${name}.img`);
  }

  format() {
    needPrograms('bench', this.#inside.programs);
    return formatDisk(this.image);
  }

  async start() {
    const { undo, folder, cpu } = this.#place;
    const { script, mountPort } = this.#inside;
    const ports = ['--expose', `${this.port}:${NFS_PORT}`, '--expose', `${this.mountPort}:${mountPort}`];
    const args = ['--ubd', this.image, '--mem', '1G', '--cpu', String(cpu), ...ports];
    const guest = await Guest.start(undo, folder, this.name, args);
    await guest.execOk(script, { cwd: '/' });
    await until(`${this.name} to answer`, () => answersNull(this.port), { timeoutMs: START_MS });
  }
}

/** Its export is `sync`: like ours, strict, it has metadata on the disk before it replies. */
export async function knfsdGuest(place) {
  return new PeerGuest(place, {
    name: 'knfsd',
    port: await freePort(2),
    exportPath: '/export',
    programs: ['rpcbind', 'rpc.nfsd', 'rpc.mountd', 'exportfs'],
    script: path.join(place.folder, 'guest/knfsd.sh'),
    mountPort: KNFSD_MOUNT_PORT,
  });
}

/** Another process that serves from a guest: to see what being one costs there, where a system call takes 20 µs. */
export async function ganeshaGuest(place) {
  const disk = '/run/disk';
  const start = path.join(sharedFolder('perf'), 'ganesha.sh');
  return new PeerGuest(place, {
    name: 'ganesha',
    port: await freePort(2),
    exportPath: `${disk}/export`,
    mountOptions: 'noacl',
    programs: ['ganesha.nfsd'],
    script: `mkdir -p ${disk} && mount /dev/ubda ${disk} && TMPDIR=/run ${start} peer VFS ${NFS_PORT} ${disk}/export`,
    mountPort: NFS_PORT + 1,
  });
}
