import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealServer } from './real-server.ts';

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
  for (const name of ['projects', 'media', 'nightly', 'common', 'alone']) await server.ok('create', name);
  await server.ok('snapshot', 'projects', 'nightly');
  for (const name of ['projects', 'media']) await server.ok('snapshot', name, 'common');
});
afterAll(() => server.stop());

async function failure(...argv: string[]): Promise<[number, string]> {
  const { status, stderr } = await server.dataset(...argv);
  return [status, stderr.trimEnd()];
}

async function snapshotNames(): Promise<string[]> {
  return (await server.ok('list-snapshots', '-H', '-o', 'name', '-s', 'name')).split('\n').filter(Boolean);
}

describe('a bare name that is a dataset', () => {
  it.each([
    ['rollback', 'nightly'],
    ['rollback', '--dry-run', 'nightly'],
    ['delete-snapshot', 'nightly'],
    ['delete-snapshot', '--dry-run', 'nightly'],
    ['hold', 'nightly', 'backup'],
    ['release', 'nightly', 'backup'],
    ['holds', 'nightly'],
  ])('is never a snapshot of another dataset: %s %s %s', async (...argv) => {
    const before = await snapshotNames();
    expect(await failure(...argv)).toEqual([2, 'cairn: nightly is a dataset; do you mean projects@nightly?']);
    expect(await snapshotNames()).toEqual(before);
    expect(await server.ok('holds', 'projects@nightly')).toBe('');
  });

  it('is refused with the snapshots that it may mean, if any', async () => {
    expect(await failure('rollback', 'common')).toEqual([
      2,
      'cairn: common is a dataset; do you mean one of media@common, projects@common?',
    ]);
    expect(await failure('rollback', 'alone')).toEqual([
      2,
      'cairn: alone is a dataset: say which snapshot of it',
    ]);
  });
});

describe('the name of a snapshot where a dataset is wanted', () => {
  it.each([
    ['list', 'projects@nightly'],
    ['list', '-t', 'snapshot', 'projects@nightly'],
    ['list-snapshots', 'projects@nightly'],
    ['detach', 'projects@nightly'],
    ['set-default', 'projects@nightly'],
    ['promote', 'projects@nightly'],
  ])('is said to be one: %s %s', async (...argv) => {
    expect(await failure(...argv)).toEqual([
      2,
      'cairn: "projects@nightly" names a snapshot, and here only a dataset can be meant',
    ]);
  });
});

describe('the tag of a hold', () => {
  it('that is too long is refused for its length', async () => {
    expect(await failure('hold', 'projects@nightly', 'y'.repeat(300))).toEqual([
      2,
      `cairn: "${'y'.repeat(57)}..." is no valid name: it has 300 bytes, at most 255 are allowed`,
    ]);
    expect(await failure('hold', 'projects@nightly', '.y')).toEqual([
      2,
      'cairn: ".y" is no valid name: it must begin with a letter or a digit, not with "."',
    ]);
  });
});

describe('a label that no snapshot has', () => {
  it('deletes nothing, and says so', async () => {
    const nothing = 'No snapshot has this label: there is nothing to delete\n';
    expect(await server.ok('delete-snapshot', '-l', 'nolabel')).toBe(nothing);
    expect(await server.ok('delete-snapshot', '--dry-run', '-l', 'nolabel', 'projects')).toBe(nothing);
    expect((await server.json('delete-snapshot', '-l', 'nolabel')).names).toEqual([]);
  });
});
