// A data directory on a disk that runs full: WRITE and CREATE answer NOSPC; reading, removing, deleting a dataset and
// a restart go on.

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import * as calls from '../rig/nfs-calls.mjs';
import { NfsClient } from '../rig/nfs-client.mjs';
import { needRoot } from '../rig/places.mjs';
import { run, until } from '../rig/processes.mjs';
import { expect, Missing } from '../rig/report.mjs';
import { serverUnderTest } from '../rig/servers.mjs';

const DISK_MIB = 256;
const KEPT_BYTES = 3_000_000;
const CREATES_MAX = 1_000_000;
const BACK_MS = 60_000;

export async function checkFullDisk({ report, undo, directory }) {
  const disk = path.join(directory, 'disk');
  await mountDisk(undo, disk);
  const server = await serverUnderTest(undo, path.join(disk, 'server'));
  await server.start();
  const kept = randomBytes(KEPT_BYTES);
  let session = await connect(server);
  await writeFile(session, session.root, 'kept', kept);
  const expectKept = async () => {
    const { file } = await session.client.must(calls.lookup(session.root, 'kept'));
    expect((await readFile(session, file, KEPT_BYTES)).equals(kept), 'the bytes differ');
  };

  if (server.cli) {
    await report.check('a dataset takes a part of the disk', async () => {
      await server.cli('dataset', 'create', 'victim');
      const victim = await connect({ ...pick(server), exportPath: '/victim' });
      for (let i = 0; i < 40; i++) await writeFile(victim, victim.root, `v${i}`, randomBytes(2 ** 20));
      victim.client.close();
    });
  }
  let filled = [];
  await report.check('WRITE answers NOSPC when the disk is full, and no other error', async () => {
    filled = await fill(session, 'first');
    return `after ${filled.length} MiB`;
  });
  await report.check('CREATE answers NOSPC too, sooner or later', async () => {
    const count = await createUntilFull(session);
    return `after ${count} files`;
  });
  await report.check('what was there reads as before', expectKept);
  await report.check('the server restarts on the full disk, in good order and after kill -9', async () => {
    session.client.close();
    await server.stop();
    await server.start();
    await server.kill();
    await server.start();
    session = await connect(server);
    await expectKept();
  });
  await report.check('REMOVE and truncation work on the full disk', async () => {
    const [one, two] = filled.splice(0, 2);
    const { file } = await session.client.must(calls.lookup(session.root, one));
    await session.client.must(calls.setattr(file, { size: 0 }));
    await session.client.must(calls.remove(session.root, one));
    await session.client.must(calls.remove(session.root, two));
  });
  if (server.cli) {
    await report.check('a dataset is deleted on the full disk, and its space comes back', async () => {
      filled.push(...(await fill(session, 'second')));
      await server.cli('dataset', 'delete', 'victim');
      await writesAgain(session, 30);
    });
  }
  await report.check('after rm of all, writing goes on', async () => {
    for (const { name } of await session.client.list(session.root)) {
      if (name !== 'kept') await session.client.must(calls.remove(session.root, name));
    }
    await writesAgain(session, 60);
    await expectKept();
  });
  session.client.close();
  await server.stop();
}

async function mountDisk(undo, disk) {
  needRoot('a small file system is mounted for the data directory');
  mkdirSync(disk);
  const { status, stderr } = await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}M`, 'tmpfs', disk]);
  if (status !== 0) throw new Missing(`the right to mount a tmpfs: ${stderr.trim()}`);
  undo.push(() => run('umount', ['-l', disk]));
}

const pick = ({ port, mountPort, exportPath }) => ({ port, mountPort, exportPath });
const connect = (server) => NfsClient.mount(pick(server), { reserved: false });

/** Creates and writes, with COMMIT; answers the first status that is not 0. */
async function writeStatus({ client }, directory, name, bytes) {
  const made = await client.send(calls.create(directory, name));
  if (made.status !== calls.Status.ok) return made.status;
  for (let offset = 0; offset < bytes.length; offset += 131_072) {
    const part = bytes.subarray(offset, offset + 131_072);
    const { status } = await client.send(calls.write(made.file, offset, part, calls.Stable.unstable));
    if (status !== calls.Status.ok) return status;
  }
  return (await client.send(calls.commit(made.file))).status;
}

async function writeFile(session, directory, name, bytes) {
  const status = await writeStatus(session, directory, name, bytes);
  expect(status === calls.Status.ok, `writing ${name} answered status ${status}`);
}

async function readFile({ client }, file, bytes) {
  const parts = [];
  for (let offset = 0; offset < bytes; offset += parts.at(-1).length) {
    parts.push((await client.must(calls.read(file, offset, 131_072))).data);
  }
  return Buffer.concat(parts);
}

/** Files of 1 MiB until one does not fit; answers the names of those that did. */
async function fill(session, prefix) {
  const names = [];
  for (let i = 0; i < DISK_MIB * 2; i++) {
    const name = `${prefix}-${i}`;
    const status = await writeStatus(session, session.root, name, randomBytes(2 ** 20));
    if (status === calls.Status.noSpace) return names;
    expect(status === calls.Status.ok, `status ${status} instead of NOSPC after ${i} MiB`);
    names.push(name);
  }
  throw new Error(`${names.length} MiB fitted on a disk of ${DISK_MIB} MiB`);
}

async function createUntilFull({ client, root }) {
  for (let count = 0; count < CREATES_MAX; count += 64) {
    const names = Array.from({ length: 64 }, (_, i) => `empty-${count + i}-${'n'.repeat(200)}`);
    const replies = await Promise.all(names.map((name) => client.send(calls.create(root, name))));
    const statuses = new Set(replies.map(({ status }) => status));
    statuses.delete(calls.Status.ok);
    if (statuses.size === 0) continue;
    expect(
      statuses.size === 1 && statuses.has(calls.Status.noSpace),
      `statuses ${[...statuses]} instead of NOSPC`,
    );
    return count;
  }
  return CREATES_MAX;
}

/** Space comes back in the background: tries until `mib` MiB fit, for a minute. */
async function writesAgain(session, mib) {
  let round = 0;
  const fits = async () => {
    round += 1;
    for (let i = 0; i < mib; i++) {
      const status = await writeStatus(session, session.root, `again-${round}-${i}`, randomBytes(2 ** 20));
      if (status === calls.Status.ok) continue;
      expect(status === calls.Status.noSpace, `status ${status} instead of NOSPC`);
      for (let done = 0; done <= i; done++) {
        await session.client.send(calls.remove(session.root, `again-${round}-${done}`));
      }
      return false;
    }
    return true;
  };
  await until(`${mib} MiB to fit again`, fits, { timeoutMs: BACK_MS, intervalMs: 500 });
}
