import { describe, expect, it } from 'vitest';
import { WritesInTurn } from '../../../src/kv/journal/writes-in-turn.ts';

/** A medium whose writes take as long as is said. */
function mediumOf(isThreadFree = () => true) {
  let nowMs = 0;
  const turns = new WritesInTurn({ elapsedMs: () => nowMs }, isThreadFree);
  return {
    turns,
    pass(ms: number) {
      nowMs += ms;
    },
    write(ms: number) {
      turns.run(() => {
        nowMs += ms;
      });
    },
  };
}

describe('whether a write of the journal is made in the turn', () => {
  it('is asked anew for each', () => {
    let isFree = false;
    const { turns } = mediumOf(() => isFree);
    expect(turns.allowed).toBe(false);
    isFree = true;
    expect(turns.allowed).toBe(true);
  });

  it('goes on while the medium is quick', () => {
    const { turns, write } = mediumOf();
    for (let count = 0; count < 1000; count++) write(0.9);
    expect(turns.allowed).toBe(true);
  });

  it('pauses for ten times as long as a slow write took', () => {
    const { turns, write, pass } = mediumOf();
    write(20);
    expect(turns.allowed).toBe(false);
    pass(199);
    expect(turns.allowed).toBe(false);
    pass(1);
    expect(turns.allowed).toBe(true);
  });

  it('pauses also when the write fails', () => {
    const { turns, pass } = mediumOf();
    const fail = () =>
      turns.run(() => {
        pass(20);
        throw new Error('no medium');
      });
    expect(fail).toThrow('no medium');
    expect(turns.allowed).toBe(false);
  });
});
