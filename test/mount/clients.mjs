// Who mounts: the host's own kernel when it has an NFS client and lets us mount, else User Mode Linux guests.
// Both answer the same: `exec`, `execOk`, `stop`. KERNEL_CLIENT=host or a folder forces one.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Guest, kernelClientFolder } from '../rig/guest.mjs';
import { sharedFolder, temporaryDirectory } from '../rig/places.mjs';
import { run, runOk } from '../rig/processes.mjs';
import { Failure } from '../rig/report.mjs';

/** A mount of the host's own kernel. */
class HostClient {
  constructor(mountPoint, scratch) {
    this.mountPoint = mountPoint;
    this.scratch = scratch;
  }

  exec(script, { timeoutS = 120, cwd = this.mountPoint } = {}) {
    const env = { ...process.env, MNT: this.mountPoint, SCRATCH: this.scratch };
    return run('bash', ['-c', script], { timeoutMs: timeoutS * 1000, cwd, env });
  }

  async execOk(script, options) {
    const { status, stdout, stderr } = await this.exec(script, options);
    if (status !== 0) throw new Failure(`${script.slice(0, 500)}\nended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  }

  stop() {
    return run('umount', ['-f', '-l', this.mountPoint]);
  }
}

async function hostMount(undo, name, server, { exportPath, options }) {
  const directory = temporaryDirectory(undo, `host-${name}`);
  const [mountPoint, scratch] = [path.join(directory, 'mnt'), path.join(directory, 'scratch')];
  mkdirSync(mountPoint);
  mkdirSync(scratch);
  const ports = `port=${server.port},mountport=${server.mountPort}`;
  const all = ['vers=3,proto=tcp,mountproto=tcp,nolock,nosharecache', ports, server.mountOptions, options];
  await runOk('mount', [
    '-t',
    'nfs',
    '-o',
    all.filter(Boolean).join(','),
    `127.0.0.1:${exportPath}`,
    mountPoint,
  ]);
  const client = new HostClient(mountPoint, scratch);
  undo.push(() => client.stop());
  return client;
}

async function hostCanMount() {
  if (process.getuid() !== 0) return false;
  const known = await run('sh', [
    '-c',
    'modprobe nfsv3 2>/dev/null; grep -qw nfs /proc/filesystems && unshare -m true',
  ]);
  return known.status === 0;
}

async function guestMount(undo, folder, name, server, { exportPath, options, scratch, memory }) {
  const all = [server.mountOptions, options].filter(Boolean).join(',');
  const args = [
    '--server-port',
    String(server.port),
    '--mount-port',
    String(server.mountPort),
    '--export',
    exportPath,
  ];
  if (all) args.push('--opts', all);
  if (scratch) args.push('--scratch', scratch);
  return Guest.start(undo, folder, name, [...args, '--mem', memory]);
}

/**
 * Answers `{ folder, mount }`. `mount(name, server, { exportPath, options, scratch, memory })` gives a client;
 * `scratch` is a directory of the host that two guests share.
 */
export function kernelClients(undo) {
  const forced = process.env.KERNEL_CLIENT;
  const folder = forced === 'host' ? sharedFolder('kernel-client') : kernelClientFolder('mount');
  let host;
  return {
    folder,
    async mount(name, server, { exportPath = server.exportPath, options, scratch, memory = '768M' } = {}) {
      host ??= forced === 'host' || (forced === undefined && (await hostCanMount()));
      if (host) return hostMount(undo, name, server, { exportPath, options });
      return guestMount(undo, folder, name, server, { exportPath, options, scratch, memory });
    },
  };
}
