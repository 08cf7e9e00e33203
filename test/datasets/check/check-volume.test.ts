// What a check says of a path, and what a repair gives back that nothing leads to.

import { beforeEach, expect, it } from 'vitest';
import { type CheckReport, checkVolume } from '../../../src/datasets/check/check-volume.ts';
import type { NodeRef } from '../../../src/fs/file-system.ts';
import { ROOT_INO } from '../../../src/fs/operation.ts';
import type { Reclaimer } from '../../../src/fs/reclaimer.ts';
import { Turn } from '../../../src/fs/turn.ts';
import { openRestoring, type RestoringVolume } from '../../snapshots/restore/restoring-volume.ts';
import { SUPERUSER } from '../test-volume.ts';

/** Of w/n, which go with it. */
const NESTED_INODES = 3;
const call = { caller: SUPERUSER };

let volume: RestoringVolume;
let hidden: NodeRef;

/** Three files in a directory of w, and one in a directory of w/n. */
beforeEach(async () => {
  volume = await openRestoring();
  await volume.datasets.create('w', {});
  await volume.makeFiles('w', 'dir', 3);
  await volume.datasets.create('w/n', {});
  await volume.makeFiles('w/n', 'inner', 1);
  await flush();
});

async function flush(): Promise<void> {
  const { store, writeBack } = volume;
  for (const tree of store.trees.values()) await writeBack.flushAll(tree);
  await store.durable(store.ticket);
}

async function check(path?: string, repair = false): Promise<CheckReport[]> {
  const reclaimer = { async pause() {}, resume() {} } as unknown as Reclaimer;
  const reports: CheckReport[] = [];
  for await (const report of checkVolume({ store: volume.store, reclaimer }, { path, repair }))
    reports.push(report);
  return reports;
}

async function messages(repair = false): Promise<string[]> {
  const reports = await check(undefined, repair);
  return reports.flatMap((report) => ('finding' in report ? [report.finding.message] : []));
}

/** As a restore of an earlier version did. */
async function hideFile(): Promise<void> {
  const { fileSystem } = volume.datasets.get('w')!;
  hidden = (await fileSystem.lookup(SUPERUSER, await fileSystem.root(), Buffer.from('n')))!;
  const how = { mode: 'guarded', changes: {} } as const;
  const { result } = await fileSystem.create(call, hidden, Buffer.from('lost'), how);
  await fileSystem.write(call, result.node, 0, Buffer.alloc(20_000, 1), true);
  await flush();
}

/** As an earlier version did: the directory goes, and what is in it stays. */
async function deleteNested(): Promise<void> {
  await volume.datasets.delete('w/n', false);
  const { operations } = volume.datasets.context.catalog.get('w');
  const turn = new Turn(operations.records, operations.clock.now());
  turn.delete(hidden.ino);
  turn.count(0, -1);
  turn.removeEntry(ROOT_INO, Buffer.from('n'));
  const root = turn.find(ROOT_INO)!;
  turn.update(root, { entryCount: root.entryCount - 1, nlink: root.nlink - 1 });
  turn.commit();
  await flush();
}

it('counts what is below a path', async () => {
  const count = async (path: string) => (await check(path)).at(-1);
  const summary = (datasets: number, inodes: number, bytes: number) => ({
    summary: { datasets, inodes, bytes, findings: 0, repaired: 0 },
  });
  expect(await count('/')).toEqual(summary(3, 10, 12_000));
  expect(await count('w')).toEqual(summary(2, 9, 12_000));
  expect(await count('/w/dir')).toEqual(summary(1, 4, 9000));
  expect(await count('/w/dir/0')).toEqual(summary(1, 1, 3000));
  expect(await count('/w/n/inner')).toEqual(summary(1, 2, 3000));
});

it('refuses a path that is not there', async () => {
  for (const path of ['bogus', '/w/nope', 'w/dir/0/x', '/w/n/dir'])
    await expect(check(path)).rejects.toMatchObject({
      code: 'not-found',
      message: `There is no /${path.replace(/^\//, '')} to check: name a dataset, or a path in one`,
    });
});

it('tells what the directory of a nested dataset hides, until it shows', async () => {
  await hideFile();
  expect((await check())[0]).toEqual({
    finding: {
      kind: 'dataset',
      path: '/w/n',
      message:
        '1 entry of w below this directory cannot be seen, because the dataset w/n shows at it: rename the dataset out of w, and the directory stays and shows them',
      repaired: false,
    },
  });
  await volume.datasets.rename('w/n', 'm');
  expect(await volume.list('w', 'n')).toEqual(['lost']);
  expect(await messages()).toEqual([]);
});

it.each([false, true])(
  'gives back the entries of a directory that is not there (snapshots: %s)',
  async (isKept) => {
    await hideFile();
    const before = volume.datasets.info('w');
    if (isKept) await volume.snapshots.create('w', 's', {});
    await deleteNested();
    expect(await messages(true)).toEqual([
      `Entries of directory ${hidden.ino}, which is not there`,
      `Inode ${hidden.ino + 1} has no name`,
    ]);
    expect(await messages()).toEqual([]);
    volume = await openRestoring(volume);
    expect(await messages()).toEqual([]);
    const { referencedBytes, usedInodes } = volume.datasets.info('w');
    expect(before.referencedBytes - referencedBytes).toBe(20_000);
    expect(before.usedInodes - usedInodes).toBe(2 + NESTED_INODES);
    if (isKept) await volume.snapshots.delete('w@s');
    expect(await messages()).toEqual([]);
  },
);
