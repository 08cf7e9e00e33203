// What clients see of a volume: of every dataset and snapshot what the administration says, and by NFS each object with
// its attributes and bytes.

import { createHash } from 'node:crypto';
import * as calls from '../../rig/nfs-calls.mjs';
import { withAdmin, withMount } from './volume.mjs';

const READ_BYTES = 65_536;
/** Of larger files a sample is read: they are sparse. */
const WHOLE_BYTES_MAX = 1_000_000;
const SAMPLE_STEP = 2 ** 20;
const DIRECTORY = 2;
const FILE = 1;
const SYMLINK = 5;
/** The load works there: it has an oracle of its own. */
const LOAD = 'other';
const ACCOUNTS = ['usedBytes', 'snapshotBytes', 'liveBytes', 'cloneBytes', 'storedBytes', 'pendingBytes'];

/**
 * By its name in the view that shows it, each object: `text` says all of it but when it was changed, which is `times`.
 *
 * @returns Map<string, { text: string, times: string }>
 */
export async function shown(server) {
  const seen = new Map();
  const { datasets, snapshots } = await withAdmin(server, lists);
  for (const one of datasets) {
    seen.set(one.name, { text: `dataset ${textOf(one)}`, times: '' });
    if (one.name !== LOAD) await walkView(server, one.name, seen);
  }
  for (const one of snapshots) {
    seen.set(undated(one.name), { text: `snapshot ${textOf(one)}`, times: '' });
    await walkView(server, one.name, seen);
  }
  return seen;
}

/**
 * Both lists as of one moment: a detach that comes to its end between the two calls would be seen in one of them only, and
 * what is neither before it nor after it is what these tests look for.
 */
async function lists(admin) {
  let { datasets } = await admin.call('ListDatasets');
  for (;;) {
    const { snapshots } = await admin.call('ListSnapshots');
    const { datasets: again } = await admin.call('ListDatasets');
    if (originsOf(again) === originsOf(datasets)) return { datasets, snapshots };
    datasets = again;
  }
}

const originsOf = (datasets) => JSON.stringify(datasets.map(({ name, origin }) => [name, origin]));

function textOf({ name, origin, isDefault, properties, clones, holds, referencedBytes, usedInodes }) {
  const local = properties.filter(({ source }) => source === 'PROPERTY_SOURCE_LOCAL');
  const used = name === LOAD ? '' : `${referencedBytes} bytes in ${usedInodes} inodes`;
  return JSON.stringify({ origin, isDefault, local, clones, holds, used });
}

/** A rollback names what was before it by the time. */
function undated(name) {
  return name.replace(/before-rollback-\d+T\d+Z/, 'before-rollback-TIME');
}

async function walkView(server, name, seen) {
  await withMount(server, name, async (client, root) => {
    const view = undated(name);
    const { attributes } = await client.must(calls.getattr(root));
    seen.set(`${view}:/`, object(attributes));
    await walk(client, root, `${view}:/`, seen);
  });
}

async function walk(client, directory, prefix, seen) {
  await Promise.all(
    (await client.list(directory)).map(async ({ name, file, attributes, fileid }) => {
      // Where another dataset is nested there are none.
      if (!attributes) {
        seen.set(prefix + name, { text: `mount point ${fileid}`, times: '' });
        return;
      }
      const content = await contentOf(client, file, attributes);
      seen.set(prefix + name, object(attributes, content));
      if (attributes.type === DIRECTORY) await walk(client, file, `${prefix}${name}/`, seen);
    }),
  );
}

function object({ times, ...attributes }, content) {
  return { text: JSON.stringify({ ...attributes, content }), times };
}

async function contentOf(client, file, { type, size }) {
  if (type === SYMLINK) return (await client.must(calls.readlink(file))).target;
  if (type !== FILE) return undefined;
  const hash = createHash('sha1');
  const step = size > WHOLE_BYTES_MAX ? SAMPLE_STEP : READ_BYTES;
  for (let at = 0; at < size; at += step) {
    const { data } = await client.must(calls.read(file, at, size > WHOLE_BYTES_MAX ? 64 : READ_BYTES));
    hash.update(data);
  }
  return hash.digest('hex');
}

/**
 * How `now` differs from what is after an operation, as another run has shown it in which nothing was killed. What the
 * operation left alone there must be as it was before, times and all.
 *
 * @param isAny tells names that may show anything
 * @param isAgain tells names that may have been made a second time, under other inode numbers
 */
export function differsFromAfter(now, { before, after }, { isAny, isAgain }) {
  const isRight = (name, one) => {
    const wanted = after.get(name);
    if (same(before.get(name), wanted)) return same(one, wanted);
    return isAgain(name) ? unnumbered(one.text) === unnumbered(wanted.text) : one.text === wanted.text;
  };
  return differences(now, after, isRight, isAny);
}

const unnumbered = (text) => text.replace(/"fileid":\d+/, '');

/** @param isAny tells names that may show anything, also nothing */
export function differences(now, wanted, isRight, isAny = () => false) {
  const found = [];
  for (const [name, one] of now) {
    if (isAny(name)) continue;
    if (!wanted.has(name)) found.push(`${name} is there`);
    else if (!isRight(name, one))
      found.push(`${name} is ${textAndTimes(one)}, not ${textAndTimes(wanted.get(name))}`);
  }
  for (const name of wanted.keys()) if (!now.has(name) && !isAny(name)) found.push(`${name} is missing`);
  return found;
}

function textAndTimes({ text, times }) {
  return `${text} ${times}`;
}

export function same(one, other) {
  return one !== undefined && other !== undefined && one.text === other.text && one.times === other.times;
}

/** What the accounting says when nothing goes on, as text. */
export async function accounted(server) {
  const { datasets, snapshots } = await withAdmin(server, lists);
  return [...datasets, ...snapshots]
    .filter(({ name }) => name !== LOAD)
    .map((one) => JSON.stringify([one.name, ...ACCOUNTS.map((account) => one[account])]))
    .join('\n');
}
