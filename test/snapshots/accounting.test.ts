import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Status } from '../nfs/nfs3/nfs3-client.ts';
import { type Mounted, RealServer } from './real-server.ts';

const MIB = 2 ** 20;
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server.stop());

/** Writes one MiB of bytes that are not there yet. Answers the status of the first call that failed, else 0. */
async function writeMib({ client, root }: Mounted, name: string, byte: number): Promise<number> {
  const { status, handle } = await client.lookup(root, name);
  const file = status === Status.OK ? handle : (await client.create(root, name, { guarded: {} })).handle!;
  const written = await client.write(file, 0n, Buffer.alloc(MIB, byte), 0);
  if (written.status !== Status.OK) return written.status;
  return (await client.commit(file)).status;
}

/** Frames have headers. */
function aboutMib(count: number): { readonly min: number; readonly max: number } {
  return { min: count * MIB, max: count * MIB * 1.02 };
}

function expectWithin(bytes: number, { min, max }: { readonly min: number; readonly max: number }): void {
  expect(bytes).toBeGreaterThanOrEqual(min);
  expect(bytes).toBeLessThanOrEqual(max);
}

describe('what snapshots hold', () => {
  it('is told alone and together, is what their deletion says it frees, and what it frees', async () => {
    await server.ok('create', 'held');
    const live = await server.mount('/held');
    await writeMib(live, 'a', 1);
    await writeMib(live, 'b', 2);
    await server.ok('snapshot', 'held', 's1');
    await server.ok('snapshot', 'held', 's2');
    expect(await server.json('info', 'held')).toMatchObject({ snapshot_bytes: 0, live_bytes: 0 });
    await live.client.remove(live.root, 'a');
    await writeMib(live, 'c', 3);
    await server.ok('snapshot', 'held', 's3');
    await live.client.remove(live.root, 'c');
    const info = await server.json('info', 'held');
    expectWithin(info.snapshot_bytes, aboutMib(2));
    expectWithin(info.stored_bytes, aboutMib(1));
    expect(info.referenced_bytes).toBe(MIB);
    // What two snapshots hold goes with neither alone.
    expect(await server.json('info', 'held@s1')).toMatchObject({ used_bytes: 0, referenced_bytes: 2 * MIB });
    expectWithin((await server.json('info', 'held@s3')).used_bytes, aboutMib(1));
    const planned = await server.json('delete', 'held@s1%s2', '--dry-run');
    expectWithin(planned.bytes, aboutMib(1));
    expect(await server.json('delete', 'held@s1%s2')).toMatchObject({ bytes: planned.bytes });
    expect((await server.json('info', 'held')).snapshot_bytes).toBe(info.snapshot_bytes - planned.bytes);
    const whole = await server.json('delete', 'held', '--dry-run');
    expectWithin(whole.bytes, aboutMib(2));
    expect(whole.names).toEqual(['held', 'held@s3']);
  });

  it('counts for the quota, not for the refquota', async () => {
    await server.ok('create', 'limited', '--quota', '3200KiB', '--refquota', '1536KiB');
    const live = await server.mount('/limited');
    for (const [name, byte] of [
      ['s1', 1],
      ['s2', 2],
    ] as const) {
      expect(await writeMib(live, 'f', byte)).toBe(Status.OK);
      await server.ok('snapshot', 'limited', name);
    }
    expect(await writeMib(live, 'f', 3)).toBe(Status.OK);
    const { used_bytes, snapshot_bytes, available } = await server.json('info', 'limited');
    expectWithin(snapshot_bytes, aboutMib(2));
    expect(used_bytes).toBe(MIB + snapshot_bytes);
    expect(available).toBe(3200 * 1024 - used_bytes);
    expect(await writeMib(live, 'g', 4)).toBe(Status.DQUOT);
    await server.ok('delete-snapshot', 'limited@%s2');
    await live.client.remove(live.root, 'f');
    expect(await writeMib(live, 'g', 4)).toBe(Status.OK);
  });

  it('is charged to the clone that alone still needs it', async () => {
    await server.ok('create', 'origin');
    const live = await server.mount('/origin');
    await writeMib(live, 'f', 1);
    await server.ok('snapshot', 'origin', 's');
    await server.ok('clone', 'origin@s', 'clone');
    await live.client.remove(live.root, 'f');
    expect(await server.json('info', 'clone')).toMatchObject({ clone_bytes: 0, referenced_bytes: MIB });
    // The clone needs it too, so its deletion alone gives nothing back.
    expect(await server.json('info', 'origin@s')).toMatchObject({ used_bytes: 0 });
    expect(await server.json('delete', 'origin@s')).toMatchObject({ bytes: 0 });
    expectWithin((await server.json('info', 'clone')).clone_bytes, aboutMib(1));
    await server.ok('delete', 'origin');
    await server.restart();
    expectWithin((await server.json('info', 'clone')).clone_bytes, aboutMib(1));
    expectWithin((await server.json('delete', 'clone', '--dry-run')).bytes, aboutMib(1));
  });

  it('stays with what a detached clone leaves to its own clones, until they are detached as well', async () => {
    await server.ok('create', 'first');
    const live = await server.mount('/first');
    await writeMib(live, 'f', 1);
    await server.ok('snapshot', 'first', 's');
    await server.ok('clone', 'first@s', 'second');
    await server.ok('clone', 'second', 'third');
    await server.ok('clone', 'first@s', 'fourth');
    await live.client.remove(live.root, 'f');
    const alone = async () => (await server.json('info', 'first@s')).used_bytes;
    const freed = async () => (await server.json('delete', 'first@s', '--dry-run')).bytes;
    // Who asks before must not be told the same again afterwards.
    expect(await alone()).toBe(0);
    await server.ok('detach', 'fourth');
    await server.ok('detach', 'second');
    expect([await alone(), await freed()]).toEqual([0, 0]);
    await server.restart();
    expect([await alone(), await freed()]).toEqual([0, 0]);
    await server.ok('detach', 'third');
    expectWithin(await alone(), aboutMib(1));
    expect(await freed()).toBe(await alone());
  });

  it('is charged to a clone of a detached clone, where it alone still holds it', async () => {
    await server.ok('create', 'oldest');
    const live = await server.mount('/oldest');
    await writeMib(live, 'f', 1);
    await server.ok('snapshot', 'oldest', 's');
    await server.ok('clone', 'oldest@s', 'middle');
    await server.ok('clone', 'middle', 'youngest');
    await live.client.remove(live.root, 'f');
    await server.ok('detach', 'middle');
    expect((await server.json('info', 'youngest')).clone_bytes).toBe(0);
    await server.ok('delete', 'oldest@s');
    expectWithin((await server.json('info', 'youngest')).clone_bytes, aboutMib(1));
    expect((await server.json('info', 'middle')).clone_bytes).toBe(0);
  });

  it('is told by the dry run of a rollback', async () => {
    await server.ok('create', 'undone');
    const live = await server.mount('/undone');
    await server.ok('snapshot', 'undone', 's');
    await writeMib(live, 'f', 1);
    const plan = await server.json('rollback', 'undone@s', '--discard', '--dry-run');
    expect(plan).toMatchObject({ live_bytes: MIB, live_inodes: 2, target_bytes: 0, target_inodes: 1 });
    expectWithin(plan.lost_bytes, aboutMib(1));
    await server.ok('rollback', 'undone@s', '--discard');
    expect(await server.json('info', 'undone')).toMatchObject({ used_bytes: 0, used_inodes: 1 });
  });
});
