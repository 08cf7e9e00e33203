// NFSv3 calls (RFC 1813) as values: `{ procedure, args, decode }`. Sending one is the client's business
// (nfs-client.mjs), so that a call can be kept and sent again byte for byte.

import { XdrWriter } from './xdr.mjs';

/** nfsstat3, those that the suites name. */
export const Status = {
  ok: 0,
  noEntry: 2,
  io: 5,
  access: 13,
  exists: 17,
  notDirectory: 20,
  noSpace: 28,
  quota: 69,
  stale: 70,
  notEmpty: 66,
};

export const Stable = { unstable: 0, dataSync: 1, fileSync: 2 };

/** CREATE, REMOVE and the others whose second execution would answer something else. */
export const NON_IDEMPOTENT = new Set([2, 8, 9, 10, 11, 12, 13, 14, 15]);

export function getattr(file) {
  return { procedure: 1, args: handle(file), decode: (r) => ({ attributes: fattr3(r) }) };
}

export function setattr(file, changes) {
  const args = new XdrWriter().opaque(file);
  sattr3(args, changes);
  return { procedure: 2, args: args.u32(0).finish(), decode: wccOnly };
}

export function lookup(directory, name) {
  const decode = (r) => ({ file: r.opaque(), attributes: r.optional(fattr3) });
  return { procedure: 3, args: entry(directory, name), decode };
}

export function readlink(file) {
  return {
    procedure: 5,
    args: handle(file),
    decode: (r) => ({ attributes: r.optional(fattr3), target: r.string() }),
  };
}

export function read(file, offset, count) {
  const decode = (r) => {
    const attributes = r.optional(fattr3);
    r.u32();
    return { attributes, eof: r.u32() === 1, data: r.opaque() };
  };
  return { procedure: 6, args: new XdrWriter().opaque(file).u64(offset).u32(count).finish(), decode };
}

export function write(file, offset, data, stable) {
  const args = new XdrWriter().opaque(file).u64(offset).u32(data.length).u32(stable).opaque(data).finish();
  const decode = (r) => ({
    ...wccOnly(r),
    count: r.u32(),
    committed: r.u32(),
    verifier: r.fixed(8).toString('hex'),
  });
  return { procedure: 7, args, decode };
}

/** Guarded: an existing name is an error. */
export function create(directory, name, mode = 0o644) {
  const args = new XdrWriter().opaque(directory).string(name).u32(1);
  sattr3(args, { mode });
  return { procedure: 8, args: args.finish(), decode: made };
}

export function mkdir(directory, name, mode = 0o755) {
  const args = new XdrWriter().opaque(directory).string(name);
  sattr3(args, { mode });
  return { procedure: 9, args: args.finish(), decode: made };
}

export function symlink(directory, name, target) {
  const args = new XdrWriter().opaque(directory).string(name);
  sattr3(args, { mode: 0o777 });
  return { procedure: 10, args: args.string(target).finish(), decode: made };
}

export function remove(directory, name) {
  return { procedure: 12, args: entry(directory, name), decode: wccOnly };
}

export function rmdir(directory, name) {
  return { procedure: 13, args: entry(directory, name), decode: wccOnly };
}

export function rename(from, fromName, to, toName) {
  const args = new XdrWriter().opaque(from).string(fromName).opaque(to).string(toName).finish();
  return { procedure: 14, args, decode: () => ({}) };
}

export function link(file, directory, name) {
  const args = new XdrWriter().opaque(file).opaque(directory).string(name).finish();
  return { procedure: 15, args, decode: () => ({}) };
}

export function readdirplus(directory, cookie, verifier, maxBytes = 65536) {
  const args = new XdrWriter().opaque(directory).fixed(cookie).fixed(verifier).u32(maxBytes).u32(maxBytes);
  const decode = (r) => {
    r.optional(fattr3);
    const listing = { verifier: r.fixed(8), entries: [], end: false };
    while (r.u32() === 1) {
      const found = { fileid: r.u64(), name: r.string(), cookie: r.fixed(8) };
      found.attributes = r.optional(fattr3);
      found.file = r.optional((reader) => reader.opaque());
      listing.entries.push(found);
    }
    listing.end = r.u32() === 1;
    return listing;
  };
  return { procedure: 17, args: args.finish(), decode };
}

export function commit(file) {
  const args = new XdrWriter().opaque(file).u64(0).u32(0).finish();
  return { procedure: 21, args, decode: (r) => ({ ...wccOnly(r), verifier: r.fixed(8).toString('hex') }) };
}

const handle = (file) => new XdrWriter().opaque(file).finish();
const entry = (directory, name) => new XdrWriter().opaque(directory).string(name).finish();

function sattr3(args, { mode, size }) {
  if (mode === undefined) args.u32(0);
  else args.u32(1).u32(mode);
  args.u32(0).u32(0);
  if (size === undefined) args.u32(0);
  else args.u32(1).u64(size);
  args.u32(0).u32(0);
}

function fattr3(r) {
  const attributes = { type: r.u32(), mode: r.u32(), nlink: r.u32(), uid: r.u32(), gid: r.u32() };
  attributes.size = r.u64();
  attributes.used = r.u64();
  r.u64();
  r.u64();
  attributes.fileid = r.u64();
  attributes.times = r.fixed(24).toString('hex');
  return attributes;
}

function wccOnly(r) {
  r.optional((reader) => reader.fixed(24));
  return { attributes: r.optional(fattr3) };
}

function made(r) {
  return { file: r.optional((reader) => reader.opaque()), attributes: r.optional(fattr3) };
}
