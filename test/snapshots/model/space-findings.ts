// The space accounting, worked out anew from every version that there is (DESIGN 3.2, "Accounting").

import { contentIn } from '../../../src/fs/chunk-frames.ts';
import { FRAME_HEADER_BYTES } from '../../../src/fs/frame.ts';
import { decodeSpace, HEAD, PENDING } from '../../../src/fs/space-rows.ts';
import { keys } from '../../../src/kv/keys.ts';
import type { Row } from '../../../src/kv/meta-store.ts';
import type { StoredTree, Version } from './stored-trees.ts';

const NEVER = Number.POSITIVE_INFINITY;

export function spaceFindings(rows: readonly Row[], trees: ReadonlyMap<number, StoredTree>): string[] {
  const wanted = new Map<string, number>();
  for (const tree of trees.values()) {
    for (const [key, lives] of tree.versions) if (key.startsWith('fe')) addKey(wanted, tree, lives);
  }
  const findings: string[] = [];
  for (const [key, value] of rows) {
    if (key[0] !== 0x0e) continue;
    const { tree, first, last } = keys.space.parse(key);
    const place = placeOf(tree, first, last);
    const [bytes, should] = [decodeSpace(value), wanted.get(place) ?? 0];
    wanted.delete(place);
    if (bytes !== should) findings.push(`SPACE ${place} says ${bytes} bytes, should say ${should}`);
    if (first === PENDING.first && last === PENDING.last) findings.push(`SPACE ${place} waits for nobody`);
  }
  for (const [place, bytes] of wanted)
    if (bytes !== 0) findings.push(`SPACE ${place} is not there, should say ${bytes}`);
  return findings;
}

function addKey(wanted: Map<string, number>, tree: StoredTree, lives: readonly Version[]): void {
  const add = (birth: number, death: number, bytes: number) => {
    const seen = [...tree.kept, ...(tree.hasHead ? [HEAD] : [])];
    const needing = seen.filter((at) => at >= birth && (at < death || death === NEVER));
    const place = placeOf(tree.id, needing[0] ?? PENDING.first, needing.at(-1) ?? PENDING.last);
    wanted.set(place, (wanted.get(place) ?? 0) + bytes);
  };
  const frames = new Map<number, { birth: number; death: number; bytes: number }>();
  for (const { birth, death, value } of lives) {
    const content = contentIn(value);
    add(birth, death, content.inlineBytes);
    for (const [id, frame] of content.frames) {
      const bytes = frame.storedBytes + FRAME_HEADER_BYTES;
      if (!frame.inherited) frames.set(id, { birth: frame.birth, death, bytes });
    }
  }
  for (const { birth, death, bytes } of frames.values()) add(birth, death, bytes);
}

function placeOf(tree: number, first: number, last: number): string {
  const name = (generation: number) => (generation === HEAD ? 'head' : generation);
  return `of tree ${tree} from ${name(first)} to ${name(last)}`;
}
