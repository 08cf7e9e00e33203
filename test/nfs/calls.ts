// Calls of MOUNT and NFS put together and taken apart by hand, as RawClient does with their headers.

import { type CallOptions, counted, type RawClient, words } from './raw-client.ts';

export const MOUNT = 100005;
export const NFS = 100003;
export const Mount = { null: 0, mnt: 1, dump: 2, umnt: 3, umntall: 4, export: 5 } as const;
export const Nfs = {
  getattr: 1,
  setattr: 2,
  lookup: 3,
  access: 4,
  readlink: 5,
  read: 6,
  write: 7,
  create: 8,
  mkdir: 9,
  symlink: 10,
  mknod: 11,
  remove: 12,
  rmdir: 13,
  rename: 14,
  link: 15,
  readdir: 16,
  readdirplus: 17,
  fsstat: 18,
  fsinfo: 19,
  pathconf: 20,
  commit: 21,
} as const;

export const bytes = (text: string): Buffer => counted(Buffer.from(text));
/** sattr3 that sets nothing. */
export const NO_CHANGES = words(0, 0, 0, 0, 0, 0);
export const modeChange = (mode: number): Buffer => words(1, mode, 0, 0, 0, 0, 0);
export const entry = (directory: Buffer, name: string): Buffer =>
  Buffer.concat([counted(directory), bytes(name)]);
export const guardedCreate = (directory: Buffer, name: string): Buffer =>
  Buffer.concat([entry(directory, name), words(1), NO_CHANGES]);
export const unguardedCreate = (directory: Buffer, name: string): Buffer =>
  Buffer.concat([entry(directory, name), words(0), NO_CHANGES]);
export const mkdirArgs = (directory: Buffer, name: string): Buffer =>
  Buffer.concat([entry(directory, name), NO_CHANGES]);

export interface Mounted {
  readonly status: number;
  readonly handle: Buffer;
  readonly flavors: readonly number[];
}

export async function mnt(
  client: RawClient,
  path: string | Buffer,
  options: CallOptions = {},
): Promise<Mounted> {
  const args = counted(Buffer.from(path as string));
  const { status, body } = await client.call(MOUNT, 3, Mount.mnt, args, options);
  if (status !== 'SUCCESS') throw new Error(`MNT was answered ${status}`);
  const mountStatus = body.readUInt32BE(0);
  if (mountStatus !== 0) return { status: mountStatus, handle: Buffer.alloc(0), flavors: [] };
  const length = body.readUInt32BE(4);
  const rest = body.subarray(8 + length);
  const flavors = Array.from({ length: rest.readUInt32BE(0) }, (_, i) => rest.readUInt32BE(4 + 4 * i));
  return { status: 0, handle: Buffer.from(body.subarray(8, 8 + length)), flavors };
}

/** The reply's whole body, its status first. */
export async function nfs(
  client: RawClient,
  procedure: number,
  args: Buffer,
  options: CallOptions = {},
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const { status, body } = await client.call(NFS, 3, procedure, args, options);
  if (status !== 'SUCCESS') throw new Error(`Procedure ${procedure} was answered ${status}`);
  return { status: body.readUInt32BE(0), body: Buffer.from(body) };
}

/** The handle in a LOOKUP's, or (behind its flag) a CREATE's or MKDIR's reply. */
export function handleIn(body: Buffer, at: number): Buffer {
  const length = body.readUInt32BE(at);
  return Buffer.from(body.subarray(at + 4, at + 4 + length));
}

export async function lookup(client: RawClient, directory: Buffer, name: string): Promise<Buffer> {
  const { status, body } = await nfs(client, Nfs.lookup, entry(directory, name));
  if (status !== 0) throw new Error(`LOOKUP of ${name} was answered ${status}`);
  return handleIn(body, 4);
}

export async function mkdir(client: RawClient, directory: Buffer, name: string): Promise<Buffer> {
  const { status, body } = await nfs(client, Nfs.mkdir, mkdirArgs(directory, name));
  if (status !== 0) throw new Error(`MKDIR of ${name} was answered ${status}`);
  return handleIn(body, 8);
}

export async function createFile(client: RawClient, directory: Buffer, name: string): Promise<Buffer> {
  const { status, body } = await nfs(client, Nfs.create, guardedCreate(directory, name));
  if (status !== 0) throw new Error(`CREATE of ${name} was answered ${status}`);
  return handleIn(body, 8);
}
