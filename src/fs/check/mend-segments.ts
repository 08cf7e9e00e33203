// SEGMENT rows that are lost, made anew of what the maps name. A start deletes segment files without a row, because a crash
// leaves such that no batch ever named: where damage has taken the rows, that would take healthy data with them.

import { keys } from '../../kv/keys.ts';
import type { MetaStore } from '../../kv/meta-store.ts';
import type { SegmentStore } from '../../kv/segment-store.ts';
import { framesIn } from '../chunk-frames.ts';
import type { Frame } from '../extent.ts';
import { decodeForward } from '../forward-record.ts';
import { VersionedKind } from '../item.ts';
import type { Log } from '../store.ts';
import { FrameFacts } from './frame-facts.ts';

/** Before anything reads the rows. It reads every map, where a segment file has no row, and nothing else. */
export async function mendSegments(meta: MetaStore, segments: SegmentStore, log: Log): Promise<void> {
  const sizes = new Map(await segments.list());
  for await (const [key] of meta.rows(keys.segment.range())) sizes.delete(keys.segment.parse(key).segment);
  if (sizes.size === 0) return;
  const facts = new FrameFacts();
  for await (const [key, value] of meta.rows(keys.forward.range())) {
    const { segment, block } = keys.forward.parse(key);
    facts.addForward(segment, block, decodeForward(value));
  }
  for await (const frame of namedFrames(meta)) facts.name(frame);
  for (const { segment, row } of facts.rowsOf(sizes.keys())) {
    await meta.write([row], true);
    log.error({}, `The row of segment ${segment} was lost and is made anew; see "cairn check"`);
  }
}

/** By live maps and old ones. A damaged map names nothing; the check finds it. */
async function* namedFrames(meta: MetaStore): AsyncGenerator<Frame> {
  for await (const [, value] of meta.rows(keys.chunk.range())) yield* framesIn(value).values();
  for await (const [key, value] of meta.rows(keys.history.range())) {
    const { kind } = keys.history.parse(key);
    if (kind === VersionedKind.chunk) yield* framesIn(value).values();
  }
}
