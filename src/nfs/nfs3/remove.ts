// REMOVE, RMDIR, RENAME and LINK (RFC 1813 §3.3.12 to §3.3.15).

import type { Linked, Removed, Renamed } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import { hasSnapshots } from '../descend.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { isSnapshotsName } from '../snapshots-directory.ts';
import { type Target, writableOf } from '../target.ts';
import { struct } from '../xdr/struct.ts';
import { failedWcc, type NfsContext, postOp, wccOf } from './nfs-context.ts';
import { change } from './nfs-procedure.ts';
import { dirOpArgs3, fattr, nfsFh3, postOpAttr, wccData } from './types.ts';

export function remove(context: NfsContext): AnyProcedure {
  return removing(context, 'REMOVE', 12, 'remove');
}

export function rmdir(context: NfsContext): AnyProcedure {
  return removing(context, 'RMDIR', 13, 'rmdir');
}

function removing(
  context: NfsContext,
  name: string,
  number: number,
  method: 'remove' | 'rmdir',
): AnyProcedure {
  return change(context, {
    name,
    number,
    once: true,
    args: dirOpArgs3,
    ok: struct({ wcc: wccData }),
    fail: struct({ wcc: wccData }),
    failed: (call, { directory }) => ({ wcc: failedWcc(context, call, directory) }),
    operation(call, { directory, name: entry }) {
      const target = writableOf(context, call, directory);
      checkNotSnapshots(target, entry);
      return {
        target,
        run: (mutation) => target.fileSystem[method](mutation, target.node, entry),
        reply: (removed: Removed) => ({ wcc: wccOf(target, removed.directory) }),
      };
    },
  });
}

export function rename(context: NfsContext): AnyProcedure {
  return change(context, {
    name: 'RENAME',
    number: 14,
    once: true,
    args: struct({ from: dirOpArgs3, to: dirOpArgs3 }),
    ok: struct({ from: wccData, to: wccData }),
    fail: struct({ from: wccData, to: wccData }),
    failed: (call, { from, to }) => ({
      from: failedWcc(context, call, from.directory),
      to: failedWcc(context, call, to.directory),
    }),
    operation(call, { from, to }) {
      const source = writableOf(context, call, from.directory);
      const target = writableOf(context, call, to.directory);
      checkSameFileSystem(source, target);
      checkNotSnapshots(source, from.name);
      return {
        target: source,
        run: (mutation) => source.fileSystem.rename(mutation, source.node, from.name, target.node, to.name),
        reply: (renamed: Renamed) => ({
          from: wccOf(source, renamed.source),
          to: wccOf(target, renamed.target),
        }),
      };
    },
  });
}

export function link(context: NfsContext): AnyProcedure {
  return change(context, {
    name: 'LINK',
    number: 15,
    once: true,
    args: struct({ file: nfsFh3, link: dirOpArgs3 }),
    ok: struct({ attributes: postOpAttr, wcc: wccData }),
    fail: struct({ attributes: postOpAttr, wcc: wccData }),
    failed: (call, args) => ({
      attributes: postOp(context, call, args.file),
      wcc: failedWcc(context, call, args.link.directory),
    }),
    operation(call, args) {
      const file = writableOf(context, call, args.file);
      const directory = writableOf(context, call, args.link.directory);
      checkSameFileSystem(file, directory);
      return {
        target: file,
        run: (mutation) => file.fileSystem.link(mutation, file.node, directory.node, args.link.name),
        reply: (linked: Linked) => ({
          attributes: fattr(linked.node, file),
          wcc: wccOf(directory, linked.directory),
        }),
      };
    },
  });
}

function checkSameFileSystem(a: Target, b: Target): void {
  if (a.dataset.id !== b.dataset.id || a.snapshot !== b.snapshot)
    throw new FsError('EXDEV', 'A dataset is a file system of its own, and so is a snapshot');
}

/** @throws FsError `EACCES`: what LOOKUP finds under that name is no entry of the directory */
function checkNotSnapshots(target: Target, name: Buffer): void {
  if (isSnapshotsName(name) && hasSnapshots(target))
    throw new FsError('EACCES', 'Cannot take .snapshots away');
}
