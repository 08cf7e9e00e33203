// What the versions of a tree hold, counted from the beginning: what its rows of the space accounting should say. A
// frame is needed up to the death of the last version that names it, and one key alone names it.

import { decodeChunk } from './chunk-codec.ts';
import { type ChunkContent, contentOf } from './chunk-frames.ts';
import { EMPTY_MAP } from './chunk-map.ts';
import type { Generations } from './generations.ts';
import { bytesOf, runOf } from './space-accounting.ts';
import { HEAD, SpaceRows } from './space-rows.ts';
import { birthOf, DamageError, isWhiteout, verify } from './versioned-value.ts';

interface Life {
  readonly birth: number;
  readonly death: number;
  readonly bytes: number;
}

export class SpaceCount {
  /** Bytes by birth and death: which run that is may be known only later. */
  private readonly held = new Map<number, Map<number, number>>();
  /** By frameId: no version that died later, and no live one, was seen to name them. */
  private readonly oldFrames = new Map<number, Life>();
  private damaged = false;

  /** What a damaged map holds is not known. */
  get hasDamage(): boolean {
    return this.damaged;
  }

  /** A map in HISTORY: those of one key in the order of their deaths, before the live one. */
  addOld(value: Buffer, death: number): void {
    const { frames, inlineBytes } = this.contentOf(value);
    this.hold({ birth: birthOf(value), death, bytes: inlineBytes });
    for (const [id, frame] of frames)
      if (!frame.inherited) this.oldFrames.set(id, { birth: frame.birth, death, bytes: bytesOf(frame) });
  }

  addLive(value: Buffer): void {
    const { frames, inlineBytes } = this.contentOf(value);
    this.hold({ birth: birthOf(value), death: HEAD, bytes: inlineBytes });
    for (const [id, frame] of frames) {
      if (frame.inherited) continue;
      this.oldFrames.delete(id);
      this.hold({ birth: frame.birth, death: HEAD, bytes: bytesOf(frame) });
    }
  }

  rows(generations: Generations): SpaceRows {
    const rows = new SpaceRows();
    const add = ({ birth, death, bytes }: Life) => {
      const run = runOf(generations, birth, death);
      rows.set(run, rows.bytes(run) + bytes);
    };
    for (const [birth, ofBirth] of this.held)
      for (const [death, bytes] of ofBirth) add({ birth, death, bytes });
    for (const life of this.oldFrames.values()) add(life);
    return rows;
  }

  private hold({ birth, death, bytes }: Life): void {
    if (bytes === 0) return;
    const ofBirth = this.held.get(birth) ?? new Map<number, number>();
    this.held.set(birth, ofBirth.set(death, (ofBirth.get(death) ?? 0) + bytes));
  }

  private contentOf(value: Buffer): ChunkContent {
    try {
      verify(value, 'a map');
      return contentOf(isWhiteout(value) ? EMPTY_MAP : decodeChunk(value));
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      this.damaged = true;
      return contentOf(EMPTY_MAP);
    }
  }
}
