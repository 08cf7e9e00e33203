import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeBy } from '../nfs/nfs3/nfs3-client.ts';
import { RealServer, readFile, writeFile } from './real-server.ts';

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server.stop());

async function failure(...argv: string[]): Promise<[number, string]> {
  const { status, stderr } = await server.dataset(...argv);
  return [status, stderr.trimEnd()];
}

async function read(path: string, name: string): Promise<string | undefined> {
  return readFile(await server.mount(path), name);
}

async function write(path: string, name: string, text: string): Promise<Buffer> {
  return writeFile(await server.mount(path), name, text);
}

async function entriesOf(path: string): Promise<readonly string[]> {
  const { client, root } = await server.mount(path);
  return (await client.readdir(root, 0n, 65_536)).entries.map(({ name }) => name);
}

describe('dataset clone', () => {
  it('makes a dataset of its own that begins as the snapshot is', async () => {
    await server.ok('create', 'src', '--quota', '1GiB');
    await write('/src', 'shared', 'one');
    await write('/src', 'gone', 'x');
    await server.ok('snapshot', 'src', 's');
    await write('/src', 'shared', 'two');
    expect(await server.ok('clone', 'src@s', 'copy')).toBe('Cloned src@s to copy\n');
    const snapshot = await server.json('info', 'src@s');
    expect(snapshot.clones).toEqual(['copy']);
    expect(await server.json('info', 'copy')).toMatchObject({
      parent_uuid: snapshot.uuid,
      origin: 'src@s',
      is_snapshot: false,
      is_readonly: false,
      quota: 0,
      used_inodes: 3,
    });
    await write('/copy', 'shared', 'three');
    await write('/copy', 'own', 'mine');
    const copy = await server.mount('/copy');
    await copy.client.remove(copy.root, 'gone');
    for (const check of ['at once', 'after a restart']) {
      expect(await read('/src', 'shared'), check).toBe('two');
      expect(await read('/src@s', 'shared'), check).toBe('one');
      expect(await read('/src@s', 'gone'), check).toBe('x');
      expect(await read('/src', 'own'), check).toBeUndefined();
      expect(await read('/copy', 'shared'), check).toBe('three');
      expect(await read('/copy', 'own'), check).toBe('mine');
      expect(await read('/copy', 'gone'), check).toBeUndefined();
      await server.restart();
    }
  });

  it('takes a dataset as it is now, clones of clones, properties, labels and a time to live', async () => {
    await server.ok('create', 'live');
    await write('/live', 'f', 'now');
    const made = await server.json('clone', 'live', 'c1', '-l', 'pr=7', '-o', 'refquota=1MiB', '--ttl', '2h');
    expect(made).toMatchObject({ origin: 'live', refquota: 1024 ** 2, name: 'c1' });
    expect(made.expires_at - made.created_at).toBe(7200);
    expect(made.elapsed_us).toBeGreaterThan(0);
    // What it shows is kept for it alone: nobody sees a snapshot.
    expect(await server.ok('list-snapshots', 'live')).toBe('');
    await write('/live', 'f', 'later');
    await server.ok('snapshot', 'c1@again');
    await server.ok('clone', 'c1@again', 'c2');
    await write('/c1', 'f', 'c1');
    expect(await read('/c2', 'f')).toBe('now');
    expect(await server.ok('list', '-H', '-o', 'name', '-l', 'pr=7')).toBe('c1\n');
  });

  it('is deleted before its origin, or after it', async () => {
    await server.ok('create', 'first');
    await write('/first', 'f', 'kept');
    await server.ok('snapshot', 'first', 's');
    await server.ok('clone', 'first@s', 'second');
    await server.ok('clone', 'second', 'third');
    await server.ok('delete', 'first@s');
    await server.ok('delete', 'first');
    expect(await server.json('info', 'second')).toMatchObject({ origin: null });
    await server.restart();
    await server.ok('delete', 'second');
    expect(await read('/third', 'f')).toBe('kept');
    await server.restart();
    expect(await read('/third', 'f')).toBe('kept');
    await server.ok('delete', 'third');
  });

  it('gives new files numbers that none of its origin has', async () => {
    await server.ok('create', 'numbers');
    const before = await write('/numbers', 'old', 'old');
    await server.ok('snapshot', 'numbers', 's');
    await server.ok('clone', 'numbers@s', 'numbers2');
    await write('/numbers2', 'new', 'new');
    expect(await read('/numbers2', 'old')).toBe('old');
    const live = await server.mount('/numbers');
    expect((await live.client.read(before, 0n, 10)).data.toString()).toBe('old');
  });

  it('shows as a directory where it is nested; datasets nested in its origin are empty directories', async () => {
    await server.ok('create', 'house');
    await server.ok('create', 'house/room');
    await write('/house/room', 'f', 'in the room');
    await server.ok('clone', 'house', 'house/model');
    const model = await server.mount('/house/model');
    const room = await model.client.lookup(model.root, 'room');
    expect((await model.client.readdir(room.handle, 0n, 4096)).entries.map(({ name }) => name)).toEqual([
      '.',
      '..',
    ]);
    // An ordinary one: it can go.
    expect((await model.client.rmdir(model.root, 'room')).status).toBe(0);
    expect(await read('/house/room', 'f')).toBe('in the room');
    const house = await server.mount('/house');
    expect((await house.client.rmdir(house.root, 'room')).status).toBe(13);
  });

  it.each([
    [['clone', 'root', 'root'], 4, 'There is a dataset root already'],
    [['clone', 'root@none', 'x'], 3, 'There is no snapshot root@none'],
    [['clone', 'nothing', 'x'], 3, 'There is no snapshot nothing of any dataset'],
    [['clone', 'root', 'a@b'], 2, 'a name with "@" is that of a snapshot'],
    [['clone', 'root', 'x/y'], 3, 'There is no dataset x for x/y to be nested in'],
    [['clone', 'root', 'x', '--ttl', '0s'], 2, '--ttl must be a duration'],
    [['clone', 'root'], 2, 'The name is missing'],
  ])('%j is refused', async (argv, status, sentence) => {
    const [code, message] = await failure(...argv);
    expect([code, message.includes(sentence)], message).toEqual([status, true]);
  });

  it('needs no promotion', async () => {
    await server.ok('clone', 'root', 'unpromoted');
    expect(await server.ok('promote', 'unpromoted')).toMatch(/^Nothing needs promoting: unpromoted and /);
    expect((await failure('promote', 'nothing'))[0]).toBe(3);
  });
});

describe('dataset rollback', () => {
  it('makes the dataset what the snapshot is; newer snapshots and what was there before stay', async () => {
    await server.ok('create', 'back');
    const kept = await write('/back', 'f', 'one');
    await server.ok('snapshot', 'back', 'old');
    await write('/back', 'f', 'two');
    await server.ok('snapshot', 'back', 'newer');
    const late = await write('/back', 'late', 'three');
    const live = await server.mount('/back');
    expect(await server.ok('rollback', 'back@old', '--dry-run')).toMatch(
      /^Would make back \(\S+ and 3 inodes\) what back@old is \(\S+ and 2 inodes\)\nWould keep what is there now as back@before-rollback-/,
    );
    expect(await read('/back', 'late')).toBe('three');
    expect(await server.ok('rollback', 'back@old')).toMatch(
      /^back is what back@old is\nWhat was there before is /,
    );
    // Handles of what is still there go on working, the others are stale.
    expect((await live.client.read(kept, 0n, 10)).data.toString()).toBe('one');
    expect((await live.client.getattr(late)).status).toBe(70);
    expect(await readFile(live, 'f')).toBe('one');
    const names = (await server.ok('list-snapshots', '-H', '-o', 'name', 'back')).trimEnd().split('\n');
    expect(names).toEqual([
      'back@old',
      'back@newer',
      expect.stringMatching(/^back@before-rollback-\d{8}T\d{6}Z$/),
    ]);
    await writeFile(live, 'f', 'four');
    for (const check of ['at once', 'after a restart']) {
      expect(await read('/back@newer', 'f'), check).toBe('two');
      expect(await read(`/${names[2]}`, 'late'), check).toBe('three');
      expect(await read('/back@old', 'f'), check).toBe('one');
      expect(await read('/back', 'f'), check).toBe('four');
      await server.restart();
    }
    // And forward again, to a snapshot of the tree that was left.
    await server.ok('rollback', 'back@newer', '--discard');
    expect(await read('/back', 'f')).toBe('two');
    await server.ok('delete', 'back@%');
    expect(await read('/back', 'f')).toBe('two');
  });

  it('keeps nothing with --discard, and takes the unwritten data of clients away', async () => {
    await server.ok('create', 'discard');
    await write('/discard', 'f', 'old');
    await server.ok('snapshot', 'discard', 's');
    const live = await server.mount('/discard');
    const file = await writeFile(live, 'f', 'lost');
    const done = await server.json('rollback', 'discard@s', '--discard');
    expect(done).toMatchObject({ target: 'discard@s', before: null, dry_run: false });
    expect((await live.client.read(file, 0n, 10)).data.toString()).toBe('old');
    expect(await server.ok('list-snapshots', '-H', '-o', 'name', 'discard')).toBe('discard@s\n');
    const { verifier } = await live.client.write(file, 0n, Buffer.from('new'), 0);
    const committed = await live.client.commit(file);
    expect(committed.verifier).toEqual(verifier);
    await server.restart();
    expect(await read('/discard', 'f')).toBe('new');
  });

  it('leaves nested datasets where they are now', async () => {
    await server.ok('create', 'nest');
    await server.ok('create', 'nest/early');
    await server.ok('create', 'nest/gone');
    await server.ok('snapshot', 'nest', 's');
    await server.ok('delete', 'nest/gone');
    await server.ok('create', 'nest/late');
    await write('/nest/early', 'f', 'early');
    await write('/nest/late', 'f', 'late');
    await server.ok('rollback', 'nest@s');
    const nest = await server.mount('/nest');
    const inner = async (name: string) => {
      const { handle } = await nest.client.lookup(nest.root, name);
      return readFile({ client: nest.client, root: handle }, 'f');
    };
    expect([await inner('early'), await inner('late'), await inner('gone')]).toEqual([
      'early',
      'late',
      undefined,
    ]);
    await server.ok('rename', 'nest/early', 'nest/renamed');
    expect(await inner('renamed')).toBe('early');
    await server.ok('delete', 'nest/late');
    expect((await nest.client.rmdir(nest.root, 'gone')).status).toBe(0);
  });

  it('refuses a snapshot with something else where a dataset is nested now', async () => {
    await server.ok('create', 'clash');
    await write('/clash', 'x', 'a file');
    await server.ok('snapshot', 'clash', 's');
    const clash = await server.mount('/clash');
    await clash.client.remove(clash.root, 'x');
    await server.ok('create', 'clash/x');
    expect(await failure('rollback', 'clash@s')).toEqual([
      4,
      'cairn: clash has an entry x already, so clash/x cannot show there: remove or rename it first',
    ]);
    expect(await server.ok('list-snapshots', '-H', '-o', 'name', 'clash')).toBe('clash@s\n');
  });

  it('goes on while other clients work, and all that it left can be deleted', async () => {
    await server.ok('create', 'busy');
    const live = await server.mount('/busy');
    const directory = await madeBy(live.client.mkdir(live.root, 'd'));
    await server.ok('snapshot', 'busy', 's');
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 20 }, (_, at) =>
        live.client.create(directory, `f${round}-${at}`, { guarded: {} }),
      );
      const [made, { before }] = await Promise.all([Promise.all(writes), server.json('rollback', 'busy@s')]);
      for (const { status } of made) expect(status).toBe(0);
      // What was acknowledged meanwhile is on one side or the other.
      const there = [...(await entriesOf('/busy/d')), ...(await entriesOf(`/${before}/d`))];
      for (let at = 0; at < 20; at++) expect(there).toContain(`f${round}-${at}`);
      await server.ok('clone', 'busy@s', `busy${round}`);
    }
    await server.ok('delete', 'busy@%');
    expect(await server.ok('list-snapshots', 'busy')).toBe('');
    expect((await live.client.getattr(directory)).status).toBe(0);
    expect(await server.cairn('check')).toMatch(/nothing is wrong/);
  });
});
