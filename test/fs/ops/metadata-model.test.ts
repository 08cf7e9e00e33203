import { expect, it } from 'vitest';
import type { FileType, NodeRef } from '../../../src/fs/file-system.ts';
import { FsError, type FsErrorCode } from '../../../src/fs/fs-error.ts';
import { nameCookie } from '../../../src/fs/name-cookie.ts';
import { treeCaches } from '../../../src/fs/tree.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { type SeededRandom, seededRandom, upTo } from '../../kv/seeded-random.ts';
import { TestDataset, type TestDatasetOptions } from './test-dataset.ts';
import { type ModelNode, type Operation, TreeModel } from './tree-model.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', '.', '..'];
const KINDS = [
  'create',
  'exclusive',
  'mkdir',
  'symlink',
  'remove',
  'rmdir',
  'link',
  'rename',
  'rename',
  'chmod',
] as const;
const TYPES: Record<ModelNode['kind'], FileType> = { file: 1, directory: 2, symlink: 5 };

/** Mostly what is there and can be worked in, now and then what cannot. */
function randomOperation(random: SeededRandom, model: TreeModel): Operation {
  const any = <T>(list: readonly T[]): T => list[upTo(random, list.length - 1)]!;
  const { live } = model;
  const node = (): ModelNode => any(random() < 0.9 ? live : model.nodes);
  const directory = (): ModelNode =>
    random() < 0.95 ? any(live.filter(({ kind }) => kind === 'directory')) : node();
  const name = (): string => (random() < 0.97 ? any(NAMES.slice(0, 5)) : any(NAMES));
  const kind = any(KINDS);
  switch (kind) {
    case 'create':
      return { kind, directory: directory(), name: name(), how: random() < 0.5 ? 'guarded' : 'unchecked' };
    case 'exclusive':
      return { kind, directory: directory(), name: name(), verifier: any(['verify-1', 'verify-2']) };
    case 'link':
      return { kind, node: node(), directory: directory(), name: name() };
    case 'chmod':
      return { kind, node: node(), mode: upTo(random, 0o777) };
    case 'rename':
      return { kind, directory: directory(), name: name(), target: directory(), targetName: name() };
    default:
      return { kind, directory: directory(), name: name() };
  }
}

/** Runs the operation; gives the node that it made or found. `staged` is called in the turn of the stage. */
function run(dataset: TestDataset, operation: Operation, staged: () => void): Promise<NodeRef | undefined> {
  const observed = dataset.observing(staged);
  switch (operation.kind) {
    case 'create': {
      const how = { mode: operation.how, changes: {} };
      return observed.create(operation.directory.ref!, operation.name, how).then(({ node }) => node);
    }
    case 'exclusive': {
      const how = { mode: 'exclusive', verifier: Buffer.from(operation.verifier) } as const;
      return observed.create(operation.directory.ref!, operation.name, how).then(({ node }) => node);
    }
    case 'mkdir':
      return observed.mkdir(operation.directory.ref!, operation.name).then(({ node }) => node);
    case 'symlink':
      return observed.symlink(operation.directory.ref!, operation.name, 'to').then(({ node }) => node);
    case 'remove':
      return observed.remove(operation.directory.ref!, operation.name).then(() => undefined);
    case 'rmdir':
      return observed.rmdir(operation.directory.ref!, operation.name).then(() => undefined);
    case 'link':
      return observed
        .link(operation.node.ref!, operation.directory.ref!, operation.name)
        .then(({ node }) => node);
    case 'chmod':
      return observed.setattr(operation.node.ref!, { mode: operation.mode }).then(() => undefined);
    case 'rename': {
      const { directory, name, target, targetName } = operation;
      return observed.rename(directory.ref!, name, target.ref!, targetName).then(() => undefined);
    }
  }
}

/** Runs an operation in the model and in the dataset; both must agree, in the turn in which it is staged. */
async function agree(dataset: TestDataset, model: TreeModel, operation: Operation): Promise<void> {
  let expected: FsErrorCode | undefined;
  let made: ModelNode | undefined;
  const refused = await run(dataset, operation, () => {
    expected = model.refusal(operation);
    if (!expected) made = model.apply(operation);
  }).then(
    (node) => {
      if (made && node) made.ref ??= node;
      if (made && node) expect(node.ino).toBe(made.ref!.ino);
      return undefined;
    },
    (error: unknown) => {
      if (!(error instanceof FsError)) throw error;
      return error.code;
    },
  );
  // A refusal stages nothing, so nothing has been asked of the model yet.
  if (refused) expected = model.refusal(operation);
  expect(refused, JSON.stringify(operation, withoutNodes)).toBe(expected);
}

const withoutNodes = (_: string, value: unknown) =>
  typeof value === 'object' && value !== null && 'entries' in value ? (value as ModelNode).ref?.ino : value;

/** Every name, attribute and link back is as in the model. */
async function compare(dataset: TestDataset, model: TreeModel): Promise<void> {
  await dataset.applied();
  const { live } = model;
  const places = new Map<number, string[]>();
  for (const node of live) {
    const attributes = await dataset.stat(node.ref!);
    expect(attributes.type).toBe(TYPES[node.kind]);
    expect(attributes.nlink, `links of ${attributes.ino}`).toBe(node.nlink);
    if (node.mode >= 0) expect(attributes.mode).toBe(node.mode);
    if (node.kind !== 'directory') continue;
    const listed = await dataset.list(node.ref!, 3);
    const names = listed.map(({ name, ino }) => [String(name), ino]);
    expect(names.sort()).toEqual([...node.entries].map(([name, { ref }]) => [name, ref!.ino]).sort());
    expect((await dataset.fetched(attributes)).entryCount).toBe(node.entries.size);
    expect((await dataset.lookup(attributes, '..'))?.ino).toBe((node.parent ?? node).ref!.ino);
    for (const { ino, cookieHigh, cookieLow } of listed) {
      const place = `${attributes.ino}/${cookieHigh}/${cookieLow}`;
      places.set(ino, [...(places.get(ino) ?? []), place]);
    }
  }
  const { tree } = dataset.records;
  expect(tree.usedInodes).toBe(live.length);
  const rows = await dataset.parts.meta.page(keys.link.range(tree.id), 10_000);
  const links = rows.map(([key]) => keys.link.parse(key));
  for (const node of live) {
    const { ino, parents } = await dataset.fetched(node.ref!);
    const linked = links.filter((link) => link.ino === ino).map((link) => ({ ...link, ino: link.parent }));
    const found = [...parents, ...linked].map((link) => `${link.ino}/${link.cookieHigh}/${link.cookieLow}`);
    expect(found.sort(), `parents of ${ino}`).toEqual((places.get(ino) ?? []).sort());
  }
}

async function start(options: TestDatasetOptions) {
  const dataset = await TestDataset.open(options);
  return { dataset, model: new TreeModel(await dataset.root()) };
}

async function runInTurn(seed: number, options: TestDatasetOptions, count: number): Promise<void> {
  const random = seededRandom(seed);
  const { dataset, model } = await start(options);
  for (let i = 0; i < count; i++) {
    await agree(dataset, model, randomOperation(random, model));
    if (i % 50 === 49) await compare(dataset, model);
  }
}

const tinyCaches = () => treeCaches({ inodes: 2, names: 2, chunkBytes: 1000 });
/** Every name in one of two buckets. */
const COLLIDING = nameCookie(Buffer.alloc(16), (name) => ({ high: 0, low: (name[0]! & 1) * 0x40 }));
const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

it.each(seeds(12))('agrees with the model operation by operation (seed %i)', async (seed) => {
  await runInTurn(seed, {}, 300);
});

it.each(seeds(6))('agrees with the model when names collide (seed %i)', async (seed) => {
  await runInTurn(seed, { cookieOf: COLLIDING }, 300);
});

it.each(seeds(6))('agrees with the model when nothing is resident for long (seed %i)', async (seed) => {
  const meta = new AbsentMetaStore(new MemoryMetaStore(), seededRandom(seed));
  await runInTurn(seed, { meta, caches: tinyCaches() }, 150);
});

it.each(seeds(10))(
  'does operations that overlap in the order in which they are staged (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const meta = new AbsentMetaStore(new MemoryMetaStore(), seededRandom(seed + 1000));
    const { dataset, model } = await start({ meta, caches: tinyCaches() });
    for (let round = 0; round < 30; round++) {
      const operations = Array.from({ length: 8 }, () => randomOperation(random, model));
      await Promise.all(operations.map((operation) => overlapping(dataset, model, operation)));
      if (round % 10 === 9) await compare(dataset, model);
    }
  },
);

/** As {@link agree}; but a refusal was decided in a turn that is past, so only a success can be compared. */
async function overlapping(dataset: TestDataset, model: TreeModel, operation: Operation): Promise<void> {
  let made: ModelNode | undefined;
  const node = await run(dataset, operation, () => {
    expect(model.refusal(operation), JSON.stringify(operation, withoutNodes)).toBeUndefined();
    made = model.apply(operation);
  }).catch((error: unknown) => {
    if (!(error instanceof FsError)) throw error;
    return undefined;
  });
  if (made && node) made.ref ??= node;
}
