// A method that answers with a stream: as fast as the client takes it, and no longer than it wants it.

import type { handleServerStreamingCall } from '@grpc/grpc-js';
import type { GrpcFailure } from './grpc-status.ts';

/** @param answers ends soon after the signal, whatever it waits for */
export function streamCall<Request, Answer>(
  answers: (request: Request, signal: AbortSignal) => AsyncIterable<Answer>,
  failure: (error: unknown) => GrpcFailure,
): handleServerStreamingCall<Request, Answer> {
  return (call) => {
    const cancel = new AbortController();
    const cancelled = once(call, 'cancelled').then(() => cancel.abort());
    void (async () => {
      try {
        for await (const answer of answers(call.request, cancel.signal)) {
          if (call.cancelled) return;
          if (!call.write(answer)) await Promise.race([once(call, 'drain'), cancelled]);
        }
        call.end();
      } catch (error) {
        call.emit('error', failure(error));
      }
    })();
  };
}

async function once(call: NodeJS.EventEmitter, event: 'drain' | 'cancelled'): Promise<void> {
  await new Promise<void>((resolve) => {
    call.once(event, resolve);
  });
}
