// The volume that every operation begins with: datasets and one nested, snapshots with a hold, a clone and a clone of the
// clone, each with changes of its own. It is made once, by real clients, and copied for every crash.

import { AdminClient } from '../../rig/admin-client.mjs';
import * as calls from '../../rig/nfs-calls.mjs';
import { NfsClient } from '../../rig/nfs-client.mjs';

/** More than a batch of a drained tree and of a sweep takes. */
const MANY = 270;
const TOUCHED = 140;
const REMOVED = 20;
/** One window more than a batch of a drain takes. */
const WIDE_WINDOWS = 65;
const WINDOW_BYTES = 2 ** 20;
export const UNSTABLE_BYTES = 200_000;

export function mount({ port, mountPort }, name) {
  return NfsClient.mount({ port, mountPort, exportPath: `/${name}` }, { reserved: false });
}

/** Calls `body` with a client of a dataset and its root. */
export async function withMount(server, name, body) {
  const { client, root } = await mount(server, name);
  try {
    return await body(client, root);
  } finally {
    client.close();
  }
}

export async function withAdmin(server, body) {
  const admin = new AdminClient(server);
  try {
    await admin.ready();
    return await body(admin);
  } finally {
    admin.close();
  }
}

/** Creates a file unless it is there, and overwrites its beginning. */
export async function writeFile(client, directory, name, bytes, stable = calls.Stable.fileSync) {
  const found = await client.send(calls.lookup(directory, name));
  const { file } = found.status === 0 ? found : await client.must(calls.create(directory, name));
  for (let at = 0; at < bytes.length; at += 65_536)
    await client.must(calls.write(file, at, bytes.subarray(at, at + 65_536), stable));
  return file;
}

/** So that the rows of numbers that are never given again are there. */
export async function useNumbers(server) {
  await withAdmin(server, (admin) => admin.call('CreateDataset', { name: 'passing' }));
  await withMount(server, 'passing', (client, root) => writeFile(client, root, 'file', Buffer.alloc(9000)));
}

export async function makeVolume(server) {
  await withAdmin(server, async (admin) => {
    for (const name of ['d', 'd/in', 'other']) await admin.call('CreateDataset', { name });
    await withMount(server, 'd', fillFirst);
    await withMount(server, 'd/in', fillMany);
    await withMount(server, 'other', (client, root) => fill(client, root, 50));
    await admin.call('CreateSnapshot', { source: 'd', name: 'a' });
    await admin.call('CreateSnapshot', { source: 'other', name: 'held' });
    await admin.call('HoldSnapshot', { name: 'other@held', tag: 'legal' });
    await withMount(server, 'd', changeFirst);
    const properties = { 'label:which': 'second' };
    await admin.call('CreateSnapshot', { source: 'd', name: 'b', recursive: true, properties });
    await withMount(server, 'd/in', changeMany);
    await admin.call('CloneDataset', { source: 'd@a', name: 'c' });
    await withMount(server, 'c', changeClone);
    await admin.call('CreateSnapshot', { source: 'c', name: 'x' });
    await admin.call('CloneDataset', { source: 'c@x', name: 'cc' });
    await withMount(server, 'cc', (client, root) =>
      writeFile(client, root, 'medium', Buffer.alloc(9000, 31)),
    );
    await withMount(server, 'c', (client, root) => writeFile(client, root, 'medium', Buffer.alloc(9000, 32)));
    await withMount(server, 'd', (client, root) =>
      writeFile(client, root, 'large', Buffer.alloc(70_000, 33)),
    );
  });
}

/** Inline, in one frame, in several. */
async function fill(client, root, seed) {
  for (const [at, [name, bytes]] of [
    ['small', 100],
    ['medium', 60_000],
    ['large', 300_000],
  ].entries())
    await writeFile(client, root, name, Buffer.alloc(bytes, seed + at));
}

async function fillFirst(client, root) {
  await fill(client, root, 1);
  await writeFile(client, root, 'unstable', Buffer.alloc(UNSTABLE_BYTES, 'A'));
  const { file: folder } = await client.must(calls.mkdir(root, 'folder'));
  const { file: deep } = await client.must(calls.mkdir(folder, 'deep'));
  const linked = await writeFile(client, deep, 'bottom', Buffer.alloc(20_000, 7));
  await client.must(calls.link(linked, folder, 'second name'));
  await client.must(calls.symlink(deep, 'symlink', '../..'));
  await writeFile(client, folder, 'page', Buffer.alloc(5000, 8));
}

async function changeFirst(client, root) {
  await fill(client, root, 11);
  await client.must(calls.rename(root, 'folder', root, 'renamed'));
}

async function changeClone(client, root) {
  await writeFile(client, root, 'medium', Buffer.alloc(30_000, 21));
  await client.must(calls.remove(root, 'small'));
  await writeFile(client, root, 'new', Buffer.alloc(40_000, 22));
}

async function fillMany(client, root) {
  await fill(client, root, 40);
  const names = Array.from({ length: MANY }, (_, at) => `f${at}`);
  await Promise.all(names.map((name) => client.must(calls.create(root, name))));
}

async function changeMany(client, root) {
  const entries = (await client.list(root)).filter(({ name }) => name.startsWith('f'));
  const [touched, removed] = [entries.slice(0, TOUCHED), entries.slice(TOUCHED, TOUCHED + REMOVED)];
  await Promise.all(touched.map(({ file }) => client.must(calls.setattr(file, { mode: 0o600 }))));
  await Promise.all(removed.map(({ name }) => client.must(calls.remove(root, name))));
  const { file } = await client.must(calls.create(root, 'wide'));
  const write = (_, at) =>
    client.must(calls.write(file, at * WINDOW_BYTES, Buffer.alloc(20_000, at + 1), calls.Stable.unstable));
  await Promise.all(Array.from({ length: WIDE_WINDOWS }, write));
  await client.must(calls.commit(file));
}
