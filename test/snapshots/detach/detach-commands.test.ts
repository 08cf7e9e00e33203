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
