// What every NFSv3 procedure works with, and the attributes that go along with its replies.

import type { Change } from '../../fs/file-system.ts';
import type { DuplicateRequestCache } from '../duplicate-request-cache.ts';
import { LIVE } from '../handle.ts';
import type { RpcCall } from '../rpc/call.ts';
import type { RpcLog } from '../rpc/log.ts';
import { type Target, type TargetContext, targetOf } from '../target.ts';
import { type Fattr3, fattr, type WccData } from './types.ts';

export interface NfsContext extends TargetContext {
  readonly duplicates: DuplicateRequestCache;
  readonly writeVerifier: Buffer;
  readonly log: RpcLog;
}

export function wccOf(target: Target, { before, after }: Change): WccData {
  // What happens in `.snapshots` is no matter of one turn: a client that took it for one would miss what others did.
  return { before: target.snapshot === LIVE ? before : undefined, after: fattr(after, target) };
}

export const NO_WCC: WccData = { before: undefined, after: undefined };

/** The attributes for a failed reply, as far as they can be had at once. */
export function postOp(context: NfsContext, call: RpcCall, handle: Buffer): Fattr3 | undefined {
  try {
    return postOpAt(targetOf(context, call, handle));
  } catch {
    return undefined;
  }
}

/** Those of a directory that a successful call went through, likewise. */
export function postOpAt(target: Target): Fattr3 | undefined {
  try {
    const attributes = target.fileSystem.attributes(target.node);
    if (!(attributes instanceof Promise)) return fattr(attributes, target);
    attributes.catch(() => {});
    return undefined;
  } catch {
    return undefined;
  }
}

/** wcc_data of a failed reply: nothing has changed, so what is there now was there before. */
export function failedWcc(context: NfsContext, call: RpcCall, handle: Buffer): WccData {
  return unchanged(postOp(context, call, handle));
}

/** Likewise, of what a call that has begun led to. */
export function failedWccAt(target: Target): WccData {
  return unchanged(postOpAt(target));
}

function unchanged(attributes: Fattr3 | undefined): WccData {
  return attributes ? { before: attributes, after: attributes } : NO_WCC;
}
