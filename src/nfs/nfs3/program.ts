// The NFS program, version 3: all 22 procedures of RFC 1813, by number.

import { nullProcedure, type RpcProgram } from '../rpc/program.ts';
import { access, getattr, setattr } from './attributes.ts';
import { create, mkdir, mknod, symlink } from './create.ts';
import { commit, read, write } from './data.ts';
import { fsinfo, fsstat, pathconf } from './file-system-info.ts';
import { lookup, readlink } from './lookup.ts';
import type { NfsContext } from './nfs-context.ts';
import { readdir } from './readdir.ts';
import { readdirplus } from './readdirplus.ts';
import { link, remove, rename, rmdir } from './remove.ts';

export const NFS_PROGRAM = 100003;
export const NFS_VERSION = 3;

export function nfs3Program(context: NfsContext): RpcProgram {
  return {
    program: NFS_PROGRAM,
    version: NFS_VERSION,
    name: 'NFS',
    procedures: [
      nullProcedure,
      getattr(context),
      setattr(context),
      lookup(context),
      access(context),
      readlink(context),
      read(context),
      write(context),
      create(context),
      mkdir(context),
      symlink(context),
      mknod(context),
      remove(context),
      rmdir(context),
      rename(context),
      link(context),
      readdir(context),
      readdirplus(context),
      fsstat(context),
      fsinfo(context),
      pathconf(context),
      commit(context),
    ],
  };
}
