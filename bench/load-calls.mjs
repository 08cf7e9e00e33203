// The calls of a closed loop, as records that are ready to be sent.

import { create, getattr, lookup, read, setattr, write } from '../test/rig/nfs-calls.mjs';
import { callRecord } from '../test/rig/rpc-connection.mjs';

const NFS = { program: 100003, version: 3 };
const FILE_SYNC = 2;
const BLOCK = Buffer.alloc(4096, 5);
const DIGITS = '00000000';

/** A call of nfs-calls.mjs, with its record mark and an xid of 0. */
export function readyCall(name, { procedure, args }) {
  const body = callRecord({ xid: 0, ...NFS, procedure, args });
  const mark = Buffer.alloc(4);
  mark.writeUInt32BE((0x80000000 | body.length) >>> 0);
  return { name, record: Buffer.concat([mark, body]) };
}

/**
 * The calls named by `mix`, to each of `files` in turn.
 *
 * @param files     `{ name, file }` of files of 4 KiB in `directory`
 * @param directory where LOOKUP finds them
 * @param own       an empty directory, for CREATE
 */
export function mixedCalls(mix, { files, directory, own }) {
  const created = createCall(own);
  const ready = {
    getattr: ({ file }) => readyCall('getattr', getattr(file)),
    lookup: ({ name }) => readyCall('lookup', lookup(directory, name)),
    read: ({ file }) => readyCall('read', read(file, 0, BLOCK.length)),
    setattr: ({ file }) => readyCall('setattr', setattr(file, { mode: 0o640 })),
    write: ({ file }) => readyCall('write', write(file, 0, BLOCK, FILE_SYNC)),
    create: () => created,
  };
  return files.flatMap((file) => mix.map((name) => ready[name](file)));
}

/** CREATE of another name each time it is sent. */
function createCall(directory) {
  const call = readyCall('create', create(directory, DIGITS));
  const at = call.record.lastIndexOf(DIGITS);
  const vary = (number) => call.record.write(number.toString(16).padStart(DIGITS.length, '0'), at, 'latin1');
  return { ...call, vary };
}
