// Rules that look right and are wrong, as reference/store-concurrency-model.mjs names them, each as what the source
// would say if it followed it. The last is not there: it is one that the source has followed.

import type { Patch } from './patched-copy.ts';

export interface WrongRule extends Patch {
  readonly rule: string;
}

export const WRONG_RULES: readonly WrongRule[] = [
  {
    rule: 'pointers before frames',
    file: 'segment-log.ts',
    text: '      await writer.sync();\n',
    instead: '',
  },
  {
    rule: 'answer before the sync',
    file: 'commit-worker.ts',
    text: 'await meta.write(writes, true)',
    instead: 'await meta.write(writes, false)',
  },
  {
    rule: 'dirty data is stamped with the committed generation, not that of the queue',
    file: 'write-back.ts',
    text: 'file.write(tree.accept, piece, effects)',
    instead: 'file.write(tree.generations.current, piece, effects)',
  },
  {
    rule: 'a flush takes the generation of its batch',
    file: 'flush.ts',
    text: 'turn.commit(frozen.generation, written.landed)',
    instead: 'turn.commit(tree.accept, written.landed)',
  },
  {
    rule: 'a metadata operation does not wait for older-stamped data of its inode',
    file: 'turn.ts',
    text: '      if (dirty.isShownByKept()) throw new Wait(dirty.flushOlder(this.tree.accept));\n',
    instead: '',
  },
  {
    rule: 'a generation whose keep is in the queue is not kept',
    file: 'tree.ts',
    text: 'generations.current < accept || ',
    instead: '',
  },
  {
    rule: 'a flush does not look whether its bytes are still wanted',
    file: 'flush.ts',
    text: 'const pieces = inWindow(frozen, start, windowBytes);',
    instead: 'const pieces = flush.pieces;',
  },
  {
    rule: 'a WRITE over dirty bytes starts their wait anew',
    file: 'dirty-file.ts',
    text: "layer.ranges.write(piece, 'older')",
    instead: "layer.ranges.write(piece, 'own')",
  },
  {
    rule: 'COMMIT and FILE_SYNC do not wait for a flush that is under way',
    file: 'dirty-file.ts',
    text: 'let oldest = this.frozen?.ranges.oldest ?? Number.POSITIVE_INFINITY;',
    instead: 'let oldest = Number.POSITIVE_INFINITY;',
  },
  {
    rule: 'a flush brings the mtime of its start',
    file: 'dirty-file.ts',
    text: '    if (this.frozen) this.frozen.mtime = null;\n',
    instead: '',
  },
  {
    rule: 'a segment may be repacked before its pointers are committed',
    file: 'segment-log.ts',
    text: ' || this.flights.has(segment)',
    instead: '',
  },
  {
    rule: 'a metadata operation persists the dirty size',
    file: 'turn.ts',
    text: '    const last = this.tree.dirty.get(record.ino)?.ctimeAfter(record) ?? record;\n',
    instead:
      '    const file = this.tree.dirty.get(record.ino);\n' +
      '    const last = file?.ctimeAfter(record) ?? record;\n' +
      '    fields = { size: Math.max(record.size, file?.end ?? 0), ...fields };\n',
  },
  {
    rule: 'truncate leaves dirty data',
    file: 'truncate.ts',
    text: '  dropDirty(turn, record, size);\n',
    instead: '',
  },
  {
    rule: 'truncate does not cut the maps',
    file: 'truncate.ts',
    text: 'const rest = cut(map, Math.max(0, size - window * windowBytes));',
    instead: 'const rest = cut(map, windowBytes);',
  },
  {
    rule: 'a stable inline write leaves older dirty bytes over it',
    file: 'ops/write.ts',
    text: 'turn.afterwardsDo(() => dirty.cut(offset, end, ',
    instead: 'turn.afterwardsDo(() => dirty.cut(end, end, ',
  },
  {
    rule: 'the drain uses the current generation',
    file: 'drain.ts',
    text: "action: { kind: 'drain', death }",
    instead: "action: { kind: 'drain', death: tree.generations.current + 0 * death }",
  },
  {
    rule: 'counters of a snapshot are those of its first batch',
    file: 'kept-generation.ts',
    text: 'for (const generation of batch.generations(tree).kept) {',
    instead: 'for (const generation of [] as number[]) {',
  },
  {
    rule: 'a repack does not look whether a frame died meanwhile',
    file: 'live-frames.ts',
    text: '      if (!source.isLive(index)) continue;\n      source.clearLive({ index, bytes: copy.stored });\n',
    instead: '      if (source.isLive(index)) source.clearLive({ index, bytes: copy.stored });\n',
  },
  {
    rule: 'a shrink in steps drops what waits before its first batch',
    file: 'shrink.ts',
    text: '  await writeBack.flushUntil(records, ino, Number.POSITIVE_INFINITY);\n',
    instead:
      '  const file = tree.dirty.get(ino);\n' +
      '  const now = records.inode(ino);\n' +
      '  if (writeBack && now) file?.cut(size, Infinity, file.growthWithout(now, size, Infinity));\n',
  },
];
