// Who mounts: the host's own kernel when it has an NFS client and lets us mount, else User Mode Linux guests.
// Both answer the same: `exec`, `execOk`, `stop`. KERNEL_CLIENT=host or a folder forces one.

import { once } from 'node:events';
import { Guest, kernelClientFolder } from './guest.mjs';
import { sharedFolder, temporaryDirectory } from './places.mjs';
import { run, start } from './processes.mjs';
import { Failure } from './report.mjs';

/**
 * A mount of the host's own kernel, in a mount namespace of its own with an empty /run: like a guest, it leaves
 * nothing behind on the host.
 */
class HostClient {
  #holder;
  #environment;

  constructor(holder, environment) {
    this.#holder = holder;
    this.#environment = environment;
  }

  static async start(undo, mountPoint, scratch) {
    const hold = 'mount -t tmpfs none /run && echo && exec sleep infinity';
    const holder = start('unshare', ['--mount', 'sh', '-c', hold]);
    const client = new HostClient(holder, { ...process.env, MNT: mountPoint, SCRATCH: scratch });
    undo.push(() => client.stop());
    await once(holder.stdout, 'data');
    return client;
  }

  exec(script, { timeoutS = 120, cwd = this.#environment.MNT } = {}) {
    const inside = `cd '${cwd}' || exit 125\n${script}`;
    const args = ['--target', String(this.#holder.pid), '--mount', '--', 'bash', '-c', inside];
    return run('nsenter', args, { timeoutMs: timeoutS * 1000, env: this.#environment });
  }

  async execOk(script, options) {
    const { status, stdout, stderr } = await this.exec(script, options);
    if (status !== 0) throw new Failure(`${script.slice(0, 500)}\nended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  }

  async stop() {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    await this.exec('umount -f -l "$MNT"', { cwd: '/' });
    this.#holder.kill();
    await once(this.#holder, 'exit');
  }
}

async function hostMount(undo, name, server, { exportPath, options, scratch }) {
  const directory = temporaryDirectory(undo, `host-${name}`);
  const client = await HostClient.start(
    undo,
    directory,
    scratch ?? temporaryDirectory(undo, `scratch-${name}`),
  );
  const ports = `port=${server.port},mountport=${server.mountPort}`;
  const fixed = 'vers=3,proto=tcp,mountproto=tcp,nolock,nosharecache';
  const all = [fixed, ports, server.mountOptions, options].filter(Boolean).join(',');
  await client.execOk(`mount -t nfs -o ${all} 127.0.0.1:${exportPath} ${directory}`, { cwd: '/' });
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
 * `scratch` is a directory of the host that two guests share. `suite` is what .ci/install installs for it.
 */
export function kernelClients(undo, suite) {
  const forced = process.env.KERNEL_CLIENT;
  const folder = forced === 'host' ? sharedFolder('kernel-client') : kernelClientFolder(suite);
  let host;
  return {
    folder,
    async mount(name, server, { exportPath = server.exportPath, options, scratch, memory = '768M' } = {}) {
      host ??= forced === 'host' || (forced === undefined && (await hostCanMount()));
      if (host) return hostMount(undo, name, server, { exportPath, options, scratch });
      return guestMount(undo, folder, name, server, { exportPath, options, scratch, memory });
    },
  };
}
