// Random operations on a file system and its model, all of which succeed.

import type { Eventual } from '../../../src/eventual.ts';
import type { Created, FileSystem, Staged } from '../../../src/fs/file-system.ts';
import { type SeededRandom, upTo } from '../../kv/seeded-random.ts';
import {
  BLOCK_BYTES,
  BLOCK_BYTES_WRITTEN,
  type FileModel,
  type ModelNode,
  newNode,
  truncate,
  writeTo,
} from './file-model.ts';
import { answered, SUPERUSER } from './walk.ts';

const KINDS = [
  ...['create', 'create', 'mkdir', 'symlink', 'write', 'write', 'write', 'write', 'stable', 'commit'],
  ...['truncate', 'remove', 'remove', 'rmdir', 'rename', 'rename', 'link', 'chmod'],
] as const;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const BLOCKS = 11;
const SIZES = [40, 3000, 12_000, BLOCK_BYTES_WRITTEN];
const call = { caller: SUPERUSER };

export interface Target {
  readonly fileSystem: FileSystem;
  readonly model: FileModel;
}

/** Does something, or nothing where what was chosen cannot be done. Gives what it did. */
export async function operate(random: SeededRandom, { fileSystem, model }: Target): Promise<string> {
  const any = <T>(list: readonly T[]): T | undefined => list[upTo(random, list.length - 1)];
  const { nodes } = model;
  const directory = any(nodes.filter(({ kind }) => kind === 'directory'))!;
  const file = any(nodes.filter(({ kind }) => kind === 'file'));
  const name = any(NAMES)!;
  const found = directory.entries.get(name);
  const kind = any<string>(KINDS)!;
  const settled = async <R>(staged: () => Eventual<Staged<R>>): Promise<R> => {
    const { result, ticket } = await answered(staged);
    // Most callers do not wait for the batch before the next call.
    if (random() < 0.3) await fileSystem.settled(ticket);
    return result;
  };
  const make = async (
    type: ModelNode['kind'],
    target: string | null,
    run: () => Eventual<Staged<Created>>,
  ) => {
    const { node } = await settled(run);
    directory.entries.set(name, newNode(type, node, target));
    if (type === 'directory') directory.nlink++;
  };
  const bytes = Buffer.from(name);
  switch (kind) {
    case 'create':
      if (found) return 'nothing';
      await make('file', null, () =>
        fileSystem.create(call, directory.ref, bytes, { mode: 'guarded', changes: {} }),
      );
      break;
    case 'mkdir':
      if (found) return 'nothing';
      await make('directory', null, () => fileSystem.mkdir(call, directory.ref, bytes, {}));
      break;
    case 'symlink':
      if (found) return 'nothing';
      await make('symlink', `to ${name}`, () =>
        fileSystem.symlink(call, directory.ref, bytes, Buffer.from(`to ${name}`), {}),
      );
      break;
    case 'write':
    case 'stable': {
      if (!file) return 'nothing';
      const block = upTo(random, random() < 0.5 ? 1 : BLOCKS);
      const text = String.fromCharCode(33 + upTo(random, 90)).repeat(any(SIZES)!);
      const data = Buffer.from(text, 'latin1');
      await settled(() => fileSystem.write(call, file.ref, block * BLOCK_BYTES, data, kind === 'stable'));
      writeTo(file, block, text);
      return `${kind} ${file.ref.ino} block ${block} ${text.length}`;
    }
    case 'commit':
      if (!file) return 'nothing';
      await settled(() => fileSystem.commit(call, file.ref));
      return `commit ${file.ref.ino}`;
    case 'truncate': {
      if (!file) return 'nothing';
      const size = any([0, 0, 20, BLOCK_BYTES, BLOCK_BYTES + 50, upTo(random, BLOCKS) * BLOCK_BYTES + 2000])!;
      await settled(() => fileSystem.setattr(call, file.ref, { size }));
      truncate(file, size);
      return `truncate ${file.ref.ino} to ${size}`;
    }
    case 'remove':
      if (!found || found.kind === 'directory') return 'nothing';
      await settled(() => fileSystem.remove(call, directory.ref, bytes));
      directory.entries.delete(name);
      found.nlink--;
      break;
    case 'rmdir':
      if (found?.kind !== 'directory' || found.entries.size > 0) return 'nothing';
      await settled(() => fileSystem.rmdir(call, directory.ref, bytes));
      directory.entries.delete(name);
      directory.nlink--;
      break;
    case 'rename':
      return rename(random, { fileSystem, model }, { directory, name });
    case 'link':
      if (!file || found) return 'nothing';
      await settled(() => fileSystem.link(call, file.ref, directory.ref, bytes));
      directory.entries.set(name, file);
      file.nlink++;
      break;
    case 'chmod': {
      const node = any(nodes)!;
      const mode = upTo(random, 0o777);
      if (node.kind !== 'symlink') node.mode = mode;
      await settled(() => fileSystem.setattr(call, node.ref, { mode }));
      return `chmod ${node.ref.ino}`;
    }
  }
  return `${kind} ${directory.ref.ino}/${name}`;
}

async function rename(
  random: SeededRandom,
  { fileSystem, model }: Target,
  source: { readonly directory: ModelNode; readonly name: string },
): Promise<string> {
  const directories = model.nodes.filter(({ kind }) => kind === 'directory');
  const target = directories[upTo(random, directories.length - 1)]!;
  const targetName = NAMES[upTo(random, NAMES.length - 1)]!;
  const moved = source.directory.entries.get(source.name);
  const replaced = target.entries.get(targetName);
  if (!moved || moved === replaced) return 'nothing';
  const isDirectory = moved.kind === 'directory';
  if (replaced && (replaced.kind === 'directory') !== isDirectory) return 'nothing';
  if (replaced && replaced.entries.size > 0) return 'nothing';
  if (isDirectory && isBelow(moved, target)) return 'nothing';
  const names = [Buffer.from(source.name), Buffer.from(targetName)] as const;
  await answered(() => fileSystem.rename(call, source.directory.ref, names[0], target.ref, names[1]));
  source.directory.entries.delete(source.name);
  if (isDirectory) source.directory.nlink--;
  target.entries.set(targetName, moved);
  if (isDirectory && !replaced) target.nlink++;
  if (replaced && !isDirectory) replaced.nlink--;
  return `rename ${source.directory.ref.ino}/${source.name} to ${target.ref.ino}/${targetName}`;
}

function isBelow(top: ModelNode, node: ModelNode): boolean {
  return top === node || [...top.entries.values()].some((entry) => isBelow(entry, node));
}
