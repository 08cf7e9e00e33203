// The isolation matrix by raw calls: how each kind of object of the table is made, and how each procedure is called. Each
// pair has an object of its own. Where a procedure does not apply to a kind it is refused, and then too nothing may change
// elsewhere.

import { madeBy, type Nfs3Client } from '../../nfs/nfs3/nfs3-client.ts';

const UNSTABLE = 0;
const FILE_SYNC = 2;
const FIFO = 7;
/** Past what goes inline into a record, and not whole blocks. */
const EXTENT_BYTES = 41_000;
const HOLE_END = 200_000n;

export interface Target {
  readonly client: Nfs3Client;
  readonly directory: Buffer;
  readonly name: string;
  readonly object: Buffer;
  /** A file beside it, to be moved over it. */
  readonly other: string;
}

export const PROCEDURES: Readonly<Record<string, (target: Target) => Promise<{ readonly status: number }>>> =
  {
    'SETATTR mode': ({ client, object }) => client.setattr(object, { mode: 0o604 }),
    'SETATTR owner': ({ client, object }) => client.setattr(object, { uid: 12, gid: 13 }),
    'SETATTR times': ({ client, object }) =>
      client.setattr(object, { mtime: { seconds: 5, nanoseconds: 6 }, atime: 'now' }),
    'SETATTR size 0': ({ client, object }) => client.setattr(object, { size: 0n }),
    'SETATTR size less': ({ client, object }) => client.setattr(object, { size: 5n }),
    'SETATTR size more': ({ client, object }) => client.setattr(object, { size: 300_000n }),
    'WRITE unstable': ({ client, object }) => client.write(object, 3n, Buffer.from('other'), UNSTABLE),
    'WRITE stable': ({ client, object }) => client.write(object, 3n, Buffer.from('other'), FILE_SYNC),
    'WRITE much': ({ client, object }) => client.write(object, 100n, Buffer.alloc(90_000, 0x7a), FILE_SYNC),
    async 'WRITE, COMMIT'({ client, object }) {
      await client.write(object, 0n, Buffer.alloc(20_000, 0x79), UNSTABLE);
      return client.commit(object);
    },
    CREATE: ({ client, directory, name }) =>
      client.create(directory, name, { unchecked: { size: 0n, mode: 0o606 } }),
    MKDIR: ({ client, directory, name }) => client.mkdir(directory, `${name} made`),
    SYMLINK: ({ client, directory, name }) => client.symlink(directory, `${name} made`, name),
    MKNOD: ({ client, directory, name }) => client.mknod(directory, `${name} made`, FIFO),
    'CREATE in it': ({ client, object }) => client.create(object, 'new', { guarded: {} }),
    REMOVE: ({ client, directory, name }) => client.remove(directory, name),
    RMDIR: ({ client, directory, name }) => client.rmdir(directory, name),
    RENAME: ({ client, directory, name }) => client.rename(directory, name, directory, `${name} moved`),
    'RENAME over it': ({ client, directory, name, other }) =>
      client.rename(directory, other, directory, name),
    LINK: ({ client, directory, name, object }) => client.link(object, directory, `${name} again`),
  };

interface Making {
  readonly client: Nfs3Client;
  readonly directory: Buffer;
  /** Where the other names of hard links are. */
  readonly elsewhere: Buffer;
  readonly name: string;
  /** What is written waits in memory. */
  readonly stable: number;
}

export const KINDS: Readonly<Record<string, (making: Making) => Promise<Buffer>>> = {
  'an empty file': file,
  'an inline file': (making) => written(making, [[0n, Buffer.from('inline bytes')]]),
  'a file in extents': (making) => written(making, [[0n, Buffer.alloc(EXTENT_BYTES, 0x61)]]),
  'a sparse file': (making) =>
    written(making, [
      [0n, Buffer.alloc(5000, 0x62)],
      [HOLE_END, Buffer.from('end')],
    ]),
  async 'a half-written file'(making) {
    const { client } = making;
    const handle = await written({ ...making, stable: FILE_SYNC }, [[0n, Buffer.alloc(EXTENT_BYTES, 0x63)]]);
    await client.write(handle, 20_000n, Buffer.alloc(EXTENT_BYTES, 0x64), UNSTABLE);
    return handle;
  },
  async 'a file with a name elsewhere'(making) {
    const handle = await written(making, [[0n, Buffer.from('linked')]]);
    await making.client.link(handle, making.elsewhere, making.name);
    return handle;
  },
  async 'a file that is removed'(making) {
    const { client, directory, name } = making;
    const handle = await written(making, [[0n, Buffer.from('removed while open')]]);
    await client.remove(directory, name);
    return handle;
  },
  'a symlink': ({ client, directory, name }) => madeBy(client.symlink(directory, name, 'target')),
  'a FIFO': ({ client, directory, name }) => madeBy(client.mknod(directory, name, FIFO)),
  'an empty directory': ({ client, directory, name }) => madeBy(client.mkdir(directory, name)),
  async 'a full directory'({ client, directory, name }) {
    const made = await madeBy(client.mkdir(directory, name));
    await madeBy(client.create(made, 'in it', { guarded: {} }));
    return made;
  },
};

function file({ client, directory, name }: Making): Promise<Buffer> {
  return madeBy(client.create(directory, name, { guarded: { mode: 0o640, uid: 7, gid: 8 } }));
}

async function written(
  making: Making,
  pieces: readonly (readonly [offset: bigint, data: Buffer])[],
): Promise<Buffer> {
  const handle = await file(making);
  for (const [offset, data] of pieces) await making.client.write(handle, offset, data, making.stable);
  return handle;
}
