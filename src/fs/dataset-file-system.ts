// One dataset's file system: the operations of src/fs/ops over its tree, behind the interface that NFS serves.

import type { Timestamp } from '../clock.ts';
import type { Eventual } from '../eventual.ts';
import type {
  Attributes,
  Caller,
  Change,
  Changes,
  Cookie,
  Created,
  CreateHow,
  DirectoryPage,
  FileSystem,
  FileSystemUsage,
  Linked,
  ListedPages,
  Mutation,
  NodeRef,
  ReadResult,
  Removed,
  Renamed,
  SpecialNode,
  Staged,
  Written,
} from './file-system.ts';
import type { OperationContext } from './operation.ts';
import { access, attributes, attributesOfMany, rootAttributes } from './ops/attributes.ts';
import { commit } from './ops/commit.ts';
import { create } from './ops/create.ts';
import { link } from './ops/link.ts';
import { lookup } from './ops/lookup.ts';
import { mkdir, mknod, symlink } from './ops/make.ts';
import { read } from './ops/read.ts';
import { readdir } from './ops/readdir.ts';
import { readlink } from './ops/readlink.ts';
import { remove, rmdir } from './ops/remove.ts';
import { rename } from './ops/rename.ts';
import { setattr } from './ops/setattr.ts';
import { usage } from './ops/usage.ts';
import { write } from './ops/write.ts';

export class DatasetFileSystem implements FileSystem {
  readonly datasetId: number;
  private readonly context: OperationContext;

  constructor(context: OperationContext) {
    this.datasetId = context.datasetId;
    this.context = context;
  }

  get listedPages(): ListedPages {
    return this.context.records.tree.listedPages;
  }

  root(): Eventual<Attributes> {
    return rootAttributes(this.context);
  }

  attributes(node: NodeRef): Eventual<Attributes> {
    return attributes(this.context, node);
  }

  attributesOf(inos: readonly number[]): Eventual<readonly (Attributes | undefined)[]> {
    return attributesOfMany(this.context, inos);
  }

  lookup(caller: Caller, directory: NodeRef, name: Buffer): Eventual<Attributes | undefined> {
    return lookup(this.context, caller, directory, name);
  }

  access(
    caller: Caller,
    node: NodeRef,
    wanted: number,
  ): Eventual<{ granted: number; attributes: Attributes }> {
    return access(this.context, caller, node, wanted);
  }

  readlink(_caller: Caller, node: NodeRef): Eventual<{ target: Buffer; attributes: Attributes }> {
    return readlink(this.context, node);
  }

  read(caller: Caller, node: NodeRef, offset: number, count: number): Eventual<ReadResult> {
    return read(this.context, caller, node, offset, count);
  }

  readdir(caller: Caller, directory: NodeRef, after: Cookie, limit: number): Eventual<DirectoryPage> {
    return readdir(this.context, caller, directory, after, limit);
  }

  setattr(
    call: Mutation<Change>,
    node: NodeRef,
    changes: Changes,
    guard?: Timestamp,
  ): Eventual<Staged<Change>> {
    return setattr(this.context, call, node, changes, guard);
  }

  write(
    call: Mutation<Written>,
    node: NodeRef,
    offset: number,
    data: Buffer,
    stable: boolean,
  ): Eventual<Staged<Written>> {
    return write(this.context, call, node, offset, data, stable);
  }

  commit(call: Mutation<Change>, node: NodeRef): Eventual<Staged<Change>> {
    return commit(this.context, call, node);
  }

  create(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    how: CreateHow,
  ): Eventual<Staged<Created>> {
    return create(this.context, call, directory, name, how);
  }

  mkdir(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    changes: Changes,
  ): Eventual<Staged<Created>> {
    return mkdir(this.context, call, directory, name, changes);
  }

  symlink(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    target: Buffer,
    changes: Changes,
  ): Eventual<Staged<Created>> {
    return symlink(this.context, call, directory, name, target, changes);
  }

  mknod(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    node: SpecialNode,
  ): Eventual<Staged<Created>> {
    return mknod(this.context, call, directory, name, node);
  }

  remove(call: Mutation<Removed>, directory: NodeRef, name: Buffer): Eventual<Staged<Removed>> {
    return remove(this.context, call, directory, name);
  }

  rmdir(call: Mutation<Removed>, directory: NodeRef, name: Buffer): Eventual<Staged<Removed>> {
    return rmdir(this.context, call, directory, name);
  }

  rename(
    call: Mutation<Renamed>,
    source: NodeRef,
    sourceName: Buffer,
    target: NodeRef,
    targetName: Buffer,
  ): Eventual<Staged<Renamed>> {
    return rename(this.context, call, source, sourceName, target, targetName);
  }

  link(call: Mutation<Linked>, node: NodeRef, directory: NodeRef, name: Buffer): Eventual<Staged<Linked>> {
    return link(this.context, call, node, directory, name);
  }

  usage(): Eventual<FileSystemUsage> {
    return usage(this.context);
  }

  settled(ticket: number): Promise<void> | undefined {
    return this.context.records.store.settled(ticket);
  }
}
