// Calls over TCP must carry the metadata "authorization: Bearer TOKEN". Those that do not are in the log, with where they
// came from: whoever guesses tokens shows there.

import { createHash, timingSafeEqual } from 'node:crypto';
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { Clock } from '../../clock.ts';
import { leftOutText, RareLines } from '../../rare-lines.ts';
import type { AdminLog } from '../admin-log.ts';

/** Of one address. */
const WARNING_INTERVAL_MS = 60_000;
const ADDRESSES_MAX = 1024;

export function requireToken(token: string, log: AdminLog, clock: Clock): ServerInterceptor {
  const expected = digest(token);
  const lines = new RareLines<string>({
    clock,
    intervalMs: WARNING_INTERVAL_MS,
    subjectsMax: ADDRESSES_MAX,
  });
  const refused = (peer: string, what: string) => {
    const leftOut = lines.due(peer.replace(/:\d+$/, ''));
    if (leftOut === undefined) return;
    log.warn({ client: peer, leftOut }, `Refused an admin call of ${peer}: ${what}${leftOutText(leftOut)}`);
  };
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, accept) => {
          const given = String(metadata.get('authorization')[0] ?? '');
          // Of digests, so that the time taken tells neither the length nor the beginning of the token.
          if (timingSafeEqual(digest(tokenOf(given)), expected)) {
            accept(metadata);
            return;
          }
          refused(call.getPeer(), given === '' ? 'it has no token' : 'its token is wrong');
          call.sendStatus({
            code: status.UNAUTHENTICATED,
            details: 'The token is missing or wrong: send the metadata "authorization: Bearer TOKEN"',
          });
        });
        next(listener.build());
      },
    });
}

/** Empty where the scheme is another; its name is in any case (RFC 7235 §2.1). No token is empty. */
function tokenOf(authorization: string): string {
  return /^bearer +(.*)$/i.exec(authorization)?.[1] ?? '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
