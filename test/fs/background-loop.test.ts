import { describe, expect, it } from 'vitest';
import { Deferred } from '../../src/deferred.ts';
import { BackgroundLoop } from '../../src/fs/background-loop.ts';

const noError = (error: unknown) => {
  throw error;
};

/** A loop whose rounds end when the test says so. */
function steppedLoop() {
  const rounds: Deferred[] = [];
  const loop = new BackgroundLoop(() => {
    const round = new Deferred();
    rounds.push(round);
    return round.promise;
  }, noError);
  return { loop, rounds };
}

describe('a background loop', () => {
  it('does one round at a time, and one more however often it is woken meanwhile', async () => {
    const { loop, rounds } = steppedLoop();
    loop.wake();
    loop.wake();
    loop.wake();
    expect(rounds).toHaveLength(1);
    rounds[0]!.resolve();
    await new Promise(setImmediate);
    expect(rounds).toHaveLength(2);
    rounds[1]!.resolve();
    await loop.idle();
    expect(rounds).toHaveLength(2);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])(
    'hears a wake %i microtasks behind the end of a round',
    async (microtasks) => {
      const { loop, rounds } = steppedLoop();
      loop.wake();
      rounds[0]!.resolve();
      for (let i = 0; i < microtasks; i++) await null;
      loop.wake();
      await new Promise(setImmediate);
      expect(rounds).toHaveLength(2);
    },
  );

  it('is idle when no wake is left', async () => {
    const { loop, rounds } = steppedLoop();
    await loop.idle();
    loop.wake();
    let idle = false;
    const waiting = loop.idle().then(() => {
      idle = true;
    });
    loop.wake();
    rounds[0]!.resolve();
    await new Promise(setImmediate);
    expect(idle).toBe(false);
    rounds[1]!.resolve();
    await waiting;
  });

  it('tells of an error once, and goes on at a later wake', async () => {
    const errors: unknown[] = [];
    let rounds = 0;
    const loop = new BackgroundLoop(
      async () => {
        rounds++;
        if (rounds === 1) throw new Error('no room');
      },
      (error) => errors.push(error),
    );
    loop.wake();
    await loop.idle();
    expect(errors).toEqual([new Error('no room')]);
    expect(rounds).toBe(1);
    loop.wake();
    await loop.idle();
    expect(errors).toHaveLength(1);
    expect(rounds).toBe(2);
  });

  it('does what it was woken for during a round that fails', async () => {
    let rounds = 0;
    const loop = new BackgroundLoop(
      async () => {
        rounds++;
        if (rounds > 1) return;
        loop.wake();
        throw new Error('no room');
      },
      () => {},
    );
    loop.wake();
    await loop.idle();
    expect(rounds).toBe(2);
  });

  it('has stopped when the step under way has ended, and does nothing afterwards', async () => {
    const steps: Deferred[] = [];
    const loop: BackgroundLoop = new BackgroundLoop(async () => {
      while (!loop.stopped) {
        steps.push(new Deferred());
        await steps.at(-1)!.promise;
      }
    }, noError);
    loop.wake();
    steps[0]!.resolve();
    await new Promise(setImmediate);
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    loop.wake();
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    steps[1]!.resolve();
    await stopping;
    loop.wake();
    await loop.idle();
    expect(steps).toHaveLength(2);
  });

  it('begins no round while it is paused, and the one it was woken for when all have resumed', async () => {
    const { loop, rounds } = steppedLoop();
    loop.wake();
    loop.wake();
    loop.pause();
    loop.pause();
    rounds[0]!.resolve();
    await loop.idle();
    expect(rounds).toHaveLength(1);
    loop.resume();
    expect(rounds).toHaveLength(1);
    loop.resume();
    expect(rounds).toHaveLength(2);
  });

  it('does nothing when it resumes and nobody has woken it', () => {
    const { loop, rounds } = steppedLoop();
    loop.pause();
    loop.resume();
    expect(rounds).toHaveLength(0);
  });
});
