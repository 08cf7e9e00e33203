// MOUNT of a snapshot, and of a moment.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mnt } from './calls.ts';
import { madeBy, Nfs3Client, Status } from './nfs3/nfs3-client.ts';
import type { RawClient } from './raw-client.ts';
import { OPEN_TO_ALL, ServedVolume } from './served-volume.ts';

let served: ServedVolume;
let raw: RawClient;
let client: Nfs3Client;

beforeAll(async () => {
  served = await ServedVolume.start();
  for (const name of ['name', 'name/sub']) await served.datasets.create(name, {});
  raw = await served.client();
  client = new Nfs3Client(raw);
  for (const dataset of ['/name', '/name/sub']) {
    const directory = await madeBy(client.mkdir(await handleOf(dataset), 'dir'));
    await madeBy(client.mkdir(directory, 'deep'));
  }
  await madeBy(client.mkdir(await handleOf('/root'), 'home'));
});

afterAll(() => served.stop());

const statusOf = async (path: string): Promise<number> => (await mnt(raw, path)).status;

async function handleOf(path: string): Promise<Buffer> {
  const { status, handle } = await mnt(raw, path);
  if (status !== 0) throw new Error(`MNT of ${path} was answered ${status}`);
  return handle;
}

/** What `.snapshots/NAME` in a live directory leads to. */
async function through(path: string, name: string): Promise<Buffer> {
  const { handle } = await client.lookup(await handleOf(path), '.snapshots');
  return (await client.lookup(handle, name)).handle;
}

describe('MNT of a snapshot', () => {
  it('gives the handle that .snapshots leads to, of a dataset, of a nested one and of the default one', async () => {
    for (const dataset of ['name', 'name/sub', 'root']) await served.snapshots.create(dataset, 'monday', {});
    expect(await handleOf('/name@monday')).toEqual(await through('/name', 'monday'));
    expect(await handleOf('/name/sub@monday')).toEqual(await through('/name/sub', 'monday'));
    expect(await handleOf('/root@monday')).toEqual(await through('/root', 'monday'));
    expect(await handleOf('/@monday')).toEqual(await handleOf('/root@monday'));
    expect(await handleOf('name@monday/')).toEqual(await handleOf('/name@monday'));
  });

  it('walks the rest of the path in the snapshot, before the @ or behind it', async () => {
    const deep = await through('/name/dir/deep', 'monday');
    expect(await handleOf('/name/dir/deep@monday')).toEqual(deep);
    expect(await handleOf('/name@monday/dir/deep')).toEqual(deep);
    expect(await handleOf('/name/dir@monday/deep')).toEqual(deep);
    expect(await handleOf('/home@monday')).toEqual(await through('/root/home', 'monday'));
    expect(await statusOf('/name/later@monday')).toBe(Status.NOENT);
    expect(await statusOf('/name@monday/.snapshots')).toBe(Status.NOENT);
    expect(await statusOf('/name/dir@monday/deep/..')).toBe(0);
  });

  it('takes the longest name of a dataset, and in the snapshot of the one around finds an empty directory', async () => {
    expect(await handleOf('/name/sub/dir@monday')).toEqual(await through('/name/sub/dir', 'monday'));
    const empty = await handleOf('/name@monday/sub');
    expect((await client.readdir(empty, 0n, 4096)).entries.map(({ name }) => name)).toEqual(['.', '..']);
    expect(await statusOf('/name@monday/sub/dir')).toBe(Status.NOENT);
  });

  it('splits at the last @', async () => {
    const odd = await madeBy(client.mkdir(await handleOf('/name'), 'a@b'));
    await served.snapshots.create('name', 'odd', {});
    expect(await handleOf('/name/a@b@odd')).toEqual(
      (await client.lookup(await handleOf('/name@odd'), 'a@b')).handle,
    );
    expect(await handleOf('/name/a@b')).toEqual(odd);
    expect(await statusOf('/name/a@monday')).toBe(Status.NOENT);
    expect(await handleOf('/name/a@b/.snapshots/odd')).toEqual(await handleOf('/name/a@b@odd'));
  });

  it('prefers a snapshot to a live path, and takes the live path when there is none', async () => {
    const live = await madeBy(client.mkdir(await handleOf('/root'), 'name@friday'));
    expect(await handleOf('/name@friday')).toEqual(live);
    await served.snapshots.create('name', 'friday', {});
    expect(await handleOf('/name@friday')).toEqual(await through('/name', 'friday'));
    expect(await handleOf('/root/name@friday')).toEqual(live);
    expect(await statusOf('/name@nothing')).toBe(Status.NOENT);
    expect(await statusOf('/name@')).toBe(Status.NOENT);
  });

  it('keeps to the exports of its dataset', async () => {
    served.server.exports.reload([{ ...OPEN_TO_ALL, datasets: ['name/sub'] }]);
    try {
      expect(await statusOf('/name/sub@monday')).toBe(0);
      expect(await statusOf('/name@monday')).toBe(Status.ACCES);
      expect(await statusOf('/name@nothing')).toBe(Status.ACCES);
    } finally {
      served.server.exports.reload([OPEN_TO_ALL]);
    }
  });
});

describe('MNT of a moment', () => {
  const at = (iso: string) => ({ seconds: Date.parse(iso) / 1000, nanoseconds: 0 });

  beforeAll(async () => {
    await served.datasets.create('timed', {});
    for (const [name, iso] of [
      ['new-year', '2026-01-01T12:00:00Z'],
      ['later', '2026-01-01T13:00:00Z'],
    ] as const) {
      served.now = at(iso);
      await served.snapshots.create('timed', name, {});
    }
    const hoursAgo = (hours: number) => ({
      seconds: Math.floor(Date.now() / 1000) - hours * 3600,
      nanoseconds: 0,
    });
    for (const hours of [3, 1]) {
      served.now = hoursAgo(hours);
      await served.snapshots.create('timed', `hours-${hours}`, {});
    }
    served.now = undefined;
  });

  it.each([
    ['2026-01-01T12:00', 'new-year'],
    ['2026-01-01T12:59:59', 'new-year'],
    ['2026-01-01T13:00', 'later'],
    ['2026-01-01T14:30+02:00', 'new-year'],
    ['-2h', 'hours-3'],
    ['-30m', 'hours-1'],
  ])('@%s is the newest snapshot not after it: %s', async (moment, name) => {
    expect(await handleOf(`/timed@${moment}`)).toEqual(await handleOf(`/timed@${name}`));
  });

  it('is NOENT before the first snapshot', async () => {
    expect(await statusOf('/timed@2026-01-01T11:59:59')).toBe(Status.NOENT);
    expect(await statusOf('/name/sub@2020-01-01')).toBe(Status.NOENT);
  });

  it('is resolved once: the handle stays with the snapshot that it was given for', async () => {
    const handle = await handleOf('/timed@-1s');
    await served.snapshots.create('timed', 'newer', {});
    expect(handle).toEqual(await handleOf('/timed@hours-1'));
    expect((await client.getattr(handle)).status).toBe(0);
  });

  it('is second to a snapshot of that name', async () => {
    await served.snapshots.create('timed', '2026-01-01T12:30', {});
    expect(await handleOf('/timed@2026-01-01T12:30')).not.toEqual(await handleOf('/timed@new-year'));
    expect(await handleOf('/timed@2026-01-01T12:30')).toEqual(await through('/timed', '2026-01-01T12:30'));
  });
});
