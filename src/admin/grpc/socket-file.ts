// The file of a UNIX socket that only its owner may use. It is bound in a directory that nobody else can enter and
// renamed to its place when its mode is right, so that there is no moment in which another user could connect.

import { chmod, lstat, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { StartError } from '../start-error.ts';

export interface SocketFile {
  readonly path: string;
  /** Removes the file, unless another server has put its own there. */
  remove(): Promise<void>;
}

/**
 * @param bind makes the socket at the path that it is given
 * @throws StartError where another server answers, or something is there that is no socket
 */
export async function placeSocket(path: string, bind: (path: string) => Promise<void>): Promise<SocketFile> {
  await refuseUsed(path);
  const directory = await privateDirectory(path);
  // As long as "admin.sock" would be: what the system allows for the path is checked once, for that.
  const made = join(directory, 's');
  try {
    await bind(made);
    await chmod(made, 0o600);
    const { ino, dev } = await lstat(made);
    await rename(made, path);
    return { path, remove: () => removeOwn(path, { ino, dev }) };
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  } finally {
    await rmdir(directory);
  }
}

async function refuseUsed(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) {
    throw new StartError(
      `Cannot make the admin socket ${path}: a file of this name is there, and it is no socket. Remove it, or choose ` +
        'another path with --admin-socket',
    );
  }
  if (await answers(path)) {
    throw new StartError(
      `Cannot make the admin socket ${path}: another server answers there. Stop it, or choose another path with ` +
        '--admin-socket',
    );
  }
}

/** A socket that a dead process has left refuses; one that may not be entered counts as another's. */
async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

async function privateDirectory(path: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(path), '.c'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = REASONS[code ?? '']?.(dirname(path)) ?? message;
    throw new StartError(
      `Cannot make the admin socket ${path}: ${reason}. Choose another path with --admin-socket`,
      { cause: error },
    );
  }
}

const REASONS: Readonly<Record<string, (directory: string) => string>> = {
  ENOENT: (directory) => `there is no directory ${directory}`,
  ENOTDIR: (directory) => `${directory} is no directory`,
  EACCES: (directory) => `you may not make files in ${directory}`,
  EROFS: (directory) => `${directory} is on a read-only file system`,
};

async function removeOwn(path: string, own: { readonly ino: number; readonly dev: number }): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.ino === own.ino && found.dev === own.dev) await rm(path, { force: true });
}
