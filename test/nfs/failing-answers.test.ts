// Answers that are not OK are counted by procedure and status, however they come: in the turn of the call, later, as
// bytes that are kept for a retransmission, and from MOUNT.

import { expect, it } from 'vitest';
import { statusName } from '../../src/nfs/status.ts';
import { mnt } from './calls.ts';
import { Nfs3Client } from './nfs3/nfs3-client.ts';
import { ServedVolume } from './served-volume.ts';

it('failing answers are counted by procedure and status, and no others', async () => {
  const served = await ServedVolume.start();
  try {
    const { client, root } = await Nfs3Client.mount(served);
    await client.create(root, 'a', { guarded: {} });
    await client.lookup(root, 'a');
    for (const name of ['x', 'y']) await client.lookup(root, name);
    await client.lookup(Buffer.alloc(32), 'x');
    await client.remove(root, 'x');
    await client.create(root, 'a', { guarded: {} });
    await mnt(await served.client(), '/absent');
    const counted = served.server.statistics.programs.flatMap(({ name, procedures }) =>
      procedures.flatMap((procedure) =>
        [...(procedure?.failures ?? [])].map(([status, count]) => [
          `${name} ${procedure!.name}`,
          statusName(status),
          count,
        ]),
      ),
    );
    expect(counted.sort()).toEqual([
      ['MOUNT MNT', 'NOENT', 1],
      ['NFS CREATE', 'EXIST', 1],
      ['NFS LOOKUP', 'BADHANDLE', 1],
      ['NFS LOOKUP', 'NOENT', 2],
      ['NFS REMOVE', 'NOENT', 1],
    ]);
  } finally {
    await served.stop();
  }
});
