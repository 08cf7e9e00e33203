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
    call.once('cancelled', () => cancel.abort());
    void (async () => {
      try {
        for await (const answer of answers(call.request, cancel.signal)) {
          if (call.cancelled) return;
          if (!call.write(answer) && !call.cancelled) await drained(call);
        }
        call.end();
      } catch (error) {
        call.emit('error', failure(error));
      }
    })();
  };
}

/** Until the client has taken what was written, or wants no more. */
function drained(call: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      call.off('cancelled', done);
      resolve();
    };
    call.once('drain', done);
    call.once('cancelled', done);
  });
}
