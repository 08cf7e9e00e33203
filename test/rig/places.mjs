// Where the suites find what is not in this repository, and what to do when it is not there.

import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Missing } from './report.mjs';

export const PROJECT = path.resolve(fileURLToPath(import.meta.url), '../../..');

/** The folder with the kernel client and the performance lab: CAIRN_SHARED, else `../shared`. */
export function sharedFolder(entry) {
  const folder = path.resolve(PROJECT, process.env.CAIRN_SHARED ?? '../shared', entry);
  if (!existsSync(folder)) throw new Missing(`${folder}: set CAIRN_SHARED to the folder that has ${entry}`);
  return folder;
}

/** Finds every program of `names` on the PATH, or ends the suite with the name of the first that is missing. */
export function needPrograms(suite, names) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  for (const name of names) {
    const found = folders.some((folder) => {
      try {
        accessSync(path.join(folder, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
    if (!found) throw new Missing(`the program ${name}: run .ci/install ${suite}`);
  }
}

export function needRoot(why) {
  if (process.getuid() !== 0) throw new Missing(`root: ${why}`);
}

/** What `npm start` gives to node before the program. */
export function startFlags() {
  return startWords().filter((word) => word.startsWith('--'));
}

/** Its environment. */
export function startEnvironment() {
  const settings = startWords().filter((word) => /^[A-Z_]+=/.test(word));
  return Object.fromEntries(settings.map((word) => word.split('=')));
}

function startWords() {
  const { scripts } = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8'));
  return scripts.start.split(' ');
}

export function needBuild() {
  const main = path.join(PROJECT, 'dist/cairn.js');
  if (!existsSync(main)) throw new Missing(`${main}: run npm run build`);
  return main;
}

/** A directory in `base` that goes when the suite ends. CAIRN_KEEP=1 keeps it for a look. */
export function temporaryDirectory(undo, name, base = tmpdir()) {
  const directory = mkdtempSync(path.join(base, `cairn-${name}-`));
  undo.push(() => {
    if (process.env.CAIRN_KEEP === '1') console.log(`kept: ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Below those that the kernel gives to whoever asks for any. */
const PORTS = { first: 23_000, end: 32_000 };
/** Where to look next: suites that run at once do not begin at the same. */
let nextPort = PORTS.first + ((process.pid * 64) % (PORTS.end - PORTS.first));

/**
 * A port on loopback that nobody listens on, with `count - 1` free ones behind it. They are this process's until it
 * ends, so that a server which is killed and started again does not find another suite's on its port.
 */
export async function freePort(count = 1) {
  for (let tries = 0; tries < 2000; tries++) {
    const first = nextPort;
    nextPort = first + 2 * count > PORTS.end ? PORTS.first : first + count;
    const ports = Array.from({ length: count }, (_, i) => first + i);
    if ((await allAsync(ports, reserved)) && (await allAsync(ports, isFree))) return first;
  }
  throw new Error(`No free port from ${PORTS.first} to ${PORTS.end}`);
}

async function allAsync(ports, test) {
  for (const port of ports) if (!(await test(port))) return false;
  return true;
}

/** By an abstract socket, which the kernel takes back when the process ends, however that does. */
function reserved(port) {
  return canListen(net.createServer().unref(), `\0cairn-test-port-${port}`);
}

async function isFree(port) {
  const probe = net.createServer();
  if (!(await canListen(probe, port, '127.0.0.1'))) return false;
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

function canListen(server, ...where) {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(...where, () => resolve(true));
  });
}
