// The method Diff.

import { FileType } from '../../fs/file-system.ts';
import type { Change } from '../../snapshots/diff/change.ts';
import type { DiffRequest } from '../../snapshots/diff/diffs.ts';
import type { ChangeMessage, DiffMessage, DiffRequestMessage, FileTypeName } from './diff-messages.ts';
import { given } from './request-check.ts';

const TYPE_NAMES: Readonly<Record<FileType, FileTypeName>> = {
  [FileType.file]: 'file',
  [FileType.directory]: 'directory',
  [FileType.block]: 'block',
  [FileType.character]: 'character',
  [FileType.symlink]: 'symlink',
  [FileType.socket]: 'socket',
  [FileType.fifo]: 'fifo',
};
const NO_PATH = Buffer.alloc(0);

interface Diffing {
  diff(request: DiffRequest, signal: AbortSignal): AsyncIterable<readonly Change[]>;
}

export async function* diffCall(
  server: Diffing,
  { from, to, ranges, watch }: DiffRequestMessage,
  signal: AbortSignal,
): AsyncGenerator<DiffMessage> {
  const request = { from: given(from, 'name'), to: to === '' ? undefined : to, ranges, watch };
  for await (const changes of server.diff(request, signal)) yield { changes: changes.map(changeMessage) };
}

function changeMessage({
  kind,
  type,
  ino,
  path,
  from,
  data,
  attributes,
  links,
  ranges,
}: Change): ChangeMessage {
  return {
    kind,
    type: TYPE_NAMES[type],
    inode: ino,
    path,
    oldPath: from ?? NO_PATH,
    data,
    attributes,
    ...(links && { linksBefore: links.before, linksAfter: links.after }),
    ranges: ranges ?? [],
  };
}
