import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealServer, readFile, writeFile } from '../real-server.ts';

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server.stop());

async function failure(...argv: string[]): Promise<[number, string]> {
  const { status, stderr } = await server.dataset(...argv);
  return [status, stderr.trimEnd()];
}

describe('dataset detach', () => {
  it('makes a clone independent: what it comes from goes with all its space, and the clone stays', async () => {
    await server.ok('create', 'origin');
    const origin = await server.mount('/origin');
    await writeFile(origin, 'small', 'text');
    await writeFile(origin, 'large', 'x'.repeat(900_000));
    await server.ok('snapshot', 'origin', 's');
    await server.ok('clone', 'origin@s', 'clone');
    await server.ok('snapshot', 'clone', 'before');
    const clone = await server.mount('/clone');
    await writeFile(clone, 'small', 'changed');
    expect(await server.ok('detach', 'clone')).toBe('clone shares nothing any more\n');
    const { jobs } = JSON.parse(await server.cairn('job', 'list', '-o', 'json'));
    expect(jobs).toContainEqual(expect.objectContaining({ kind: 'detach', state: 'done', done: 900_000 }));
    await server.ok('delete', 'origin');
    for (const when of ['at once', 'after a restart']) {
      const after = await server.mount('/clone');
      expect(await readFile(after, 'small'), when).toBe('changed');
      expect((await readFile(after, 'large'))?.length, when).toBe(65_536);
      expect(await readFile(await server.mount('/clone@before'), 'small'), when).toBe('text');
      expect(await server.cairn('check'), when).toContain('nothing is wrong');
      await server.restart();
    }
  });

  it('is no clone of its origin any more, which still says where it came from', async () => {
    await server.ok('create', 'former');
    await server.ok('snapshot', 'former', 's');
    await server.ok('clone', 'former@s', 'one');
    await server.ok('clone', 'former@s', 'two');
    await server.ok('clone', 'former', 'live');
    // A tree of its own is between it and its origin now.
    await server.ok('snapshot', 'two', 'own');
    await server.ok('rollback', 'two@own', '--discard');
    const clones = () => server.ok('list-snapshots', '-H', '-o', 'name,clones', 'former');
    expect(await clones()).toBe('former@s\tone,two\n');
    await server.ok('detach', 'one');
    await server.ok('detach', 'live');
    expect(await clones()).toBe('former@s\ttwo\n');
    expect(await server.ok('list', '-H', '-o', 'name,origin', 'one')).toBe('one\t-\n');
    expect(await server.ok('list', '-H', '-o', 'name,origin', 'live')).toBe('live\t-\n');
    expect(await server.ok('list', '-H', '-o', 'name,origin', 'two')).toBe('two\tformer@s\n');
    const { uuid } = await server.json('info', 'former@s');
    expect(uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(await server.json('info', 'one')).toMatchObject({ origin: null, parent_uuid: uuid });
    await server.ok('detach', 'two');
    expect(await clones()).toBe('former@s\t-\n');
    await server.restart();
    expect(await clones()).toBe('former@s\t-\n');
  });

  it('does so with a dataset that was rolled back', async () => {
    await server.ok('create', 'back');
    const live = await server.mount('/back');
    await writeFile(live, 'file', 'first');
    await server.ok('snapshot', 'back', 's');
    await writeFile(live, 'file', 'second');
    await server.ok('rollback', 'back@s', '--discard');
    await server.ok('delete-snapshot', 'back@s');
    await server.ok('detach', 'back');
    expect(await readFile(await server.mount('/back'), 'file')).toBe('first');
    expect(await server.cairn('check')).toContain('nothing is wrong');
  });

  it('refuses a dataset that is no clone', async () => {
    await server.ok('create', 'alone');
    expect(await failure('detach', 'alone')).toEqual([
      2,
      'cairn: alone has nothing to be detached from: all that it shows is its own',
    ]);
    expect(await failure('detach', 'none')).toEqual([3, 'cairn: There is no dataset "none"']);
  });
});
