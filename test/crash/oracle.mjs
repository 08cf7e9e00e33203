// After a crash: is everything there that was promised, and nothing that never was?
//
// Names: a worker had at most one call in flight, so its tree is the one before that call or the one after; of a
// relaxed server it may also be one before the last calls since the last COMMIT or stable WRITE.
// Files: see file-model.mjs. Handles from before the crash still lead to their files. A call that was answered, sent
// again as it was, gets its first reply; one that was not, succeeds, whether it had been executed or not.

import { getattr, NON_IDEMPOTENT, read, readlink, write } from '../rig/nfs-calls.mjs';
import { NfsClient } from '../rig/nfs-client.mjs';
import { walk } from './tree-model.mjs';

const READ_BYTES = 131_072;
const KINDS = { 1: 'file', 2: 'directory', 5: 'symlink' };

/** Answers the offences found, as sentences; none means that the crash was survived. Models start anew from it. */
export async function judge(server, load, { keepsReplies = true } = {}) {
  const offences = [];
  const { client, root } = await NfsClient.mount(server, { reserved: false });
  try {
    const tops = new Map((await client.list(root)).map((entry) => [entry.name, entry]));
    for (const worker of load.workers) {
      const say = (text) => offences.push(`${worker.name}: ${text}`);
      const top = tops.get(worker.name);
      if (!top) {
        say('its directory is gone');
        continue;
      }
      const found = await survey(client, top.file);
      chooseTree(worker, found, say);
      await judgeNodes(client, worker, found, say);
      if (keepsReplies) await judgeReplies(client, worker, say);
      worker.inFlight = undefined;
      worker.answered = undefined;
      worker.unpromised = [];
    }
    await judgeVerifier(client, load, (text) => offences.push(text));
  } finally {
    client.close();
  }
  return offences;
}

/** The tree as the server has it: `path → { kind, fileid, attributes, file }`. */
async function survey(client, directory, prefix = '', found = new Map()) {
  for (const { name, file, attributes, fileid } of await client.list(directory)) {
    const at = prefix + name;
    found.set(at, { kind: KINDS[attributes.type], fileid, attributes, file: Buffer.from(file) });
    if (attributes.type === 2) await survey(client, file, `${at}/`, found);
  }
  return found;
}

/**
 * Brings the model to the state that was found: the one after the call in flight, the one before it, or one before
 * the last changes that the server had not promised yet.
 */
function chooseTree(worker, found, say) {
  const latest = treeOffences(worker.home, found);
  if (latest.length === 0) return;
  if (worker.inFlight) {
    const undo = worker.inFlight.apply({});
    if (treeOffences(worker.home, found).length === 0) {
      worker.inFlight.applied = true;
      return;
    }
    undo();
  }
  for (const undo of worker.unpromised.reverse()) {
    undo();
    if (treeOffences(worker.home, found).length === 0) return;
  }
  const states = worker.unpromised.length + (worker.inFlight ? 2 : 1);
  say(`the names are none of the ${states} states they may be in; next to the last one answered:`);
  for (const text of latest.slice(0, 8)) say(`  ${text}`);
}

function treeOffences(home, found) {
  const offences = [];
  const expected = new Map(Array.from(walk(home), ({ path, node }) => [path, node]));
  for (const name of found.keys())
    if (!expected.has(name)) offences.push(`${name} is there, and should not be`);
  for (const [name, node] of expected) {
    const actual = found.get(name);
    if (!actual) offences.push(`${name} (${node.kind}) is gone`);
    else if (actual.kind !== node.kind)
      offences.push(`${name} is a ${actual.kind}, should be a ${node.kind}`);
    else if (node.fileid !== undefined && node.fileid !== actual.fileid)
      offences.push(`${name} is another file`);
    else if (node.kind === 'file' && actual.attributes.nlink !== node.links) {
      offences.push(`${name} has nlink ${actual.attributes.nlink}, should have ${node.links}`);
    }
  }
  return offences;
}

/** Handles, sizes, modes, bytes and targets of all that the model and the server both have. */
async function judgeNodes(client, worker, found, say) {
  const seen = new Set();
  for (const { path: name, node } of walk(worker.home)) {
    const actual = found.get(name);
    if (!actual || actual.kind !== node.kind || seen.has(node)) continue;
    seen.add(node);
    node.file ??= actual.file;
    node.fileid ??= actual.fileid;
    const { status, attributes } = await client.send(getattr(node.file));
    if (status !== 0 || attributes.fileid !== actual.fileid) {
      say(`${name}: its handle from before the crash answers status ${status}`);
    }
    if (node.kind === 'symlink') {
      const { target } = await client.must(readlink(actual.file));
      if (target !== node.target) say(`${name} leads to ${target}, should to ${node.target}`);
    }
    if (node.kind === 'file') await judgeFile(client, name, node, actual, say);
  }
}

async function judgeFile(client, name, node, actual, say) {
  const bytes = await readAll(client, actual, say, name);
  if (!bytes) return;
  const offence = node.offenceOfAttributes(actual.attributes) ?? node.offenceOfBytes(bytes);
  if (offence) say(`${name}: ${offence}`);
  node.startFrom(bytes, actual.attributes.mode);
}

async function readAll(client, { file, attributes }, say, name) {
  const parts = [];
  for (let offset = 0; offset < attributes.size; ) {
    const { status, data } = await client.send(read(file, offset, READ_BYTES));
    if (status !== 0 || data.length === 0) {
      say(`${name}: READ at ${offset} of ${attributes.size} answers status ${status}, ${data?.length} bytes`);
      return undefined;
    }
    parts.push(data);
    offset += data.length;
  }
  return Buffer.concat(parts);
}

async function judgeReplies(client, worker, say) {
  const { answered, inFlight } = worker;
  if (answered && NON_IDEMPOTENT.has(answered.call.procedure)) {
    const again = await client.connection.exchange(answered.record);
    if (!again.equals(answered.reply)) {
      const [first, second] = [answered.reply, again].map((bytes) => bytes.subarray(24, 28).toString('hex'));
      say(
        `procedure ${answered.call.procedure} sent again gets another reply: status ${second}, first ${first}`,
      );
    }
  }
  if (!inFlight) return;
  const reply = await client.send(inFlight.call, inFlight.record);
  if (reply.status !== 0) {
    const done = inFlight.applied ? 'was executed' : 'was not executed';
    say(
      `procedure ${inFlight.call.procedure}, which ${done} before the crash, sent again answers status ${reply.status}`,
    );
  } else if (!inFlight.applied) {
    inFlight.apply(reply);
  }
}

/** A client that missed the crash must see by the verifier that it has to send its unstable writes again. */
async function judgeVerifier(client, load, say) {
  const file = load.workers
    .flatMap((worker) => [...walk(worker.home)])
    .find(({ node }) => node.kind === 'file')?.node;
  const before = load.workers.map((worker) => worker.verifier).find(Boolean);
  if (!file?.file || !before) return;
  const { verifier } = await client.must(write(file.file, 0, Buffer.from(file.current.subarray(0, 1)), 2));
  if (verifier === before) say('the write verifier is the same after the crash');
  for (const worker of load.workers) worker.verifier = undefined;
}
