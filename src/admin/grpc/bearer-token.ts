// Calls over TCP must carry the metadata "authorization: Bearer TOKEN".

import { createHash, timingSafeEqual } from 'node:crypto';
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';

export function requireToken(token: string): ServerInterceptor {
  const expected = digest(`Bearer ${token}`);
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, accept) => {
          // Of digests, so that the time taken tells neither the length nor the beginning of the token.
          if (timingSafeEqual(digest(String(metadata.get('authorization')[0] ?? '')), expected)) {
            accept(metadata);
            return;
          }
          call.sendStatus({
            code: status.UNAUTHENTICATED,
            details: 'The token is missing or wrong: send the metadata "authorization: Bearer TOKEN"',
          });
        });
        next(listener.build());
      },
    });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
