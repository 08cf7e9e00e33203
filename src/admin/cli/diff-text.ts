// Changes as text. For people a line each:
//
//   M  F  /notes  (data, mtime, links 1 to 2)         kinds: + added, - removed, M modified, R renamed
//   R  /  /old -> /new  (ctime)                       types as `zfs diff -F` has them
//
// For scripts, as `git diff --name-status -z`: the kind, the path and, of what was renamed, the new path behind it, each
// with a NUL behind.

import type { ChangeMessage, FileTypeName } from '../grpc/diff-messages.ts';
import { visibleBytes } from './visible-text.ts';

const KINDS: Readonly<Record<ChangeMessage['kind'], string>> = {
  added: '+',
  removed: '-',
  modified: 'M',
  renamed: 'R',
};
const TYPES: Readonly<Record<FileTypeName, string>> = {
  file: 'F',
  directory: '/',
  symlink: '@',
  block: 'B',
  character: 'C',
  socket: '=',
  fifo: '|',
};
const NUL = Buffer.alloc(1);

export function changeLines(change: ChangeMessage): string {
  const { kind, type, path, oldPath, ranges } = change;
  const where = kind === 'renamed' ? `${visibleBytes(oldPath)} -> ${visibleBytes(path)}` : visibleBytes(path);
  const details = detailsOf(change);
  const line = `${KINDS[kind]}  ${TYPES[type]}  ${where}${details.length > 0 ? `  (${details.join(', ')})` : ''}\n`;
  return [line, ...ranges.map(({ offset, length }) => `      ${length} bytes at ${offset}\n`)].join('');
}

export function changeFields({ kind, path, oldPath }: ChangeMessage): Buffer {
  const paths = kind === 'renamed' ? [oldPath, path] : [path];
  return Buffer.concat([Buffer.from(KINDS[kind]), ...paths].flatMap((field) => [field, NUL]));
}

/** Names that are no UTF-8 are also told byte for byte, in base64. */
export function changeJson(change: ChangeMessage): object {
  const { kind, type, inode, path, oldPath, data, attributes, linksBefore, linksAfter, ranges } = change;
  return {
    kind,
    type,
    inode,
    ...pathJson('path', path),
    ...(kind === 'renamed' && pathJson('old_path', oldPath)),
    data,
    attributes,
    ...(linksBefore !== undefined && { links: { before: linksBefore, after: linksAfter } }),
    ...(ranges.length > 0 && { ranges }),
  };
}

function detailsOf({ data, attributes, linksBefore, linksAfter }: ChangeMessage): string[] {
  const links = linksBefore === undefined ? [] : [`links ${linksBefore} to ${linksAfter}`];
  return [...(data ? ['data'] : []), ...attributes, ...links];
}

function pathJson(field: string, path: Buffer): object {
  const text = path.toString();
  return {
    [field]: text,
    ...(!Buffer.from(text).equals(path) && { [`${field}_base64`]: path.toString('base64') }),
  };
}
