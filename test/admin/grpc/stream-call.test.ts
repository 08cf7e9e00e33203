import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { streamCall } from '../../../src/admin/grpc/stream-call.ts';

/** A call whose client takes nothing until 'drain' is emitted. */
class BlockedCall extends EventEmitter {
  readonly request = undefined;
  cancelled = false;
  ended = false;
  readonly written: number[] = [];

  write(answer: number): boolean {
    this.written.push(answer);
    return false;
  }

  end(): void {
    this.ended = true;
  }

  cancel(): void {
    this.cancelled = true;
    this.emit('cancelled');
  }
}

function serveTo(call: BlockedCall, count: number): AbortSignal {
  let given!: AbortSignal;
  const answers = async function* (_: undefined, signal: AbortSignal) {
    given = signal;
    for (let answer = 0; answer < count; answer++) yield answer;
  };
  const handler = streamCall(answers, () => ({ code: 13, details: 'failed' }) as never);
  handler(call as never);
  return given;
}

describe('streamCall', () => {
  it('writes the next answer when the client has taken the one before, and leaves no listener for each', async () => {
    const call = new BlockedCall();
    serveTo(call, 100);
    for (let answer = 0; answer < 100; answer++) {
      await setImmediate();
      expect(call.written.length).toBe(answer + 1);
      expect(call.listenerCount('drain')).toBe(1);
      expect(call.listenerCount('cancelled')).toBe(2);
      call.emit('drain');
    }
    await setImmediate();
    expect(call.ended).toBe(true);
    expect(call.listenerCount('drain')).toBe(0);
    expect(call.listenerCount('cancelled')).toBe(1);
  });

  it('stops when the client wants no more, while it waits for it', async () => {
    const call = new BlockedCall();
    const signal = serveTo(call, 100);
    await setImmediate();
    call.cancel();
    await setImmediate();
    expect(signal.aborted).toBe(true);
    expect(call.written).toEqual([0]);
    expect(call.listenerCount('drain')).toBe(0);
    expect(call.listenerCount('cancelled')).toBe(0);
  });
});
