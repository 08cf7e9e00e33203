// The frame of every NFSv3 procedure: a result or a status, and with a failing status what the client may still know of
// the objects (RFC 1813 §2.6: post_op_attr and wcc_data are given wherever they can be had).
//
// Expected failures become statuses by one table; anything else is a bug: it is logged with its call and answered
// SERVERFAULT. A mutating procedure encodes its reply in the turn in which the operation is staged, so that its
// attributes are those of that moment, and sends it when the operation is on stable storage.

import type { Eventual } from '../../eventual.ts';
import type { Mutation, Staged } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { ReceiptOf } from '../duplicate-request-cache.ts';
import type { RpcCall } from '../rpc/call.ts';
import { type AnyProcedure, procedure } from '../rpc/program.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { NfsError, NfsStatus, STATUS_OF } from '../status.ts';
import type { Target } from '../target.ts';
import { encodeMessage } from '../xdr/message.ts';
import type { Fields, Struct, ValueOf } from '../xdr/struct.ts';
import { reply } from '../xdr/union.ts';
import { type Xdr, XdrError } from '../xdr/xdr.ts';
import type { NfsContext } from './nfs-context.ts';

interface Definition<A, O extends Fields, F extends Fields> {
  readonly name: string;
  readonly args: Xdr<A>;
  readonly ok: Struct<O>;
  readonly fail: Struct<F>;
  /** What goes along with a failing status. */
  failed(call: RpcCall, args: NoInfer<A>): ValueOf<F>;
}

interface Query<A, O extends Fields, F extends Fields> extends Definition<A, O, F> {
  /** A failure that is an everyday answer is returned. @throws FsError, NfsError for the others */
  run(call: RpcCall, args: NoInfer<A>): Eventual<ValueOf<O> | Refused<F>>;
}

type Refused<F extends Fields> = { readonly status: number } & ValueOf<F>;

/** A procedure that changes nothing. */
export function query<A, O extends Fields, F extends Fields>(
  context: NfsContext,
  definition: Query<A, O, F>,
): AnyProcedure {
  const { name, args, ok, fail } = definition;
  const failure = (call: RpcCall, given: A, error: unknown) => ({
    status: statusOf(context, name, call, error),
    ...definition.failed(call, given),
  });
  return procedure({
    name,
    args,
    result: reply(ok, fail) as Xdr<unknown>,
    run(call, given) {
      try {
        const result = definition.run(call, given);
        return result instanceof Promise
          ? result.catch((error: unknown) => failure(call, given, error))
          : result;
      } catch (error) {
        return failure(call, given, error);
      }
    },
  });
}

/** One operation of a file system, and its reply. */
export interface Operation<R, O extends Fields, F extends Fields> {
  readonly target: Target;
  run(call: Mutation<R>): Eventual<Staged<R>>;
  reply(result: R): ValueOf<O>;
  /** In place of the definition's, where the bytes of the call may be somebody else's by the time of the failure. */
  failed?(): ValueOf<F>;
}

interface Change<A, R, O extends Fields, F extends Fields> extends Definition<A, O, F> {
  readonly number: number;
  /** Repeating it would do something else: the reply is kept for a retransmission. */
  readonly once: boolean;
  /** @throws FsError, NfsError */
  operation(call: RpcCall, args: NoInfer<A>): Operation<R, O, F>;
}

/** A procedure that changes something. */
export function change<A, R, O extends Fields, F extends Fields>(
  context: NfsContext,
  definition: Change<A, R, O, F>,
): AnyProcedure {
  const { name, args, ok, fail, once, number } = definition;
  const result = reply(ok, fail) as Xdr<unknown>;
  const execute = (call: RpcCall, given: A, keep?: ReceiptOf): Eventual<Buffer> => {
    let operation: Operation<R, O, F> | undefined;
    const failed = (error: unknown) =>
      encodeMessage(result, {
        status: statusOf(context, name, call, error),
        ...(operation?.failed?.() ?? definition.failed(call, given)),
      });
    try {
      operation = definition.operation(call, given);
      return stageAndEncode(operation, result, keep, failed);
    } catch (error) {
      return failed(error);
    }
  };
  return procedure({
    name,
    args,
    result,
    run: (call, given) =>
      once
        ? context.duplicates.run(call, number, (keep) => execute(call, given, keep))
        : execute(call, given),
  });
}

/** @param failed encodes the answer to what is thrown later than in this turn */
function stageAndEncode<R, O extends Fields, F extends Fields>(
  { target, run, reply: answer }: Operation<R, O, F>,
  codec: Xdr<unknown>,
  keep: ReceiptOf | undefined,
  failed: (error: unknown) => Buffer,
): Eventual<Buffer> {
  let bytes: Buffer | undefined;
  const receipt = (result: R) => {
    bytes = encodeMessage(codec, answer(result));
    return keep?.(bytes);
  };
  const encoded = ({ result }: Staged<R>) => bytes ?? encodeMessage(codec, answer(result));
  const staged = run({ caller: target.caller, receipt });
  if (staged instanceof Promise) {
    return staged
      .then((done) => {
        // WRITE and COMMIT, which may be repeated, ask for no receipt.
        const reply = encoded(done);
        return target.fileSystem.settled(done.ticket)?.then(() => reply) ?? reply;
      })
      .catch(failed);
  }
  const reply = encoded(staged);
  const settled = target.fileSystem.settled(staged.ticket);
  return settled === undefined ? reply : settled.then(() => reply, failed);
}

function statusOf({ log }: NfsContext, name: string, call: RpcCall, error: unknown): number {
  if (error instanceof FsError) return STATUS_OF[error.code];
  if (error instanceof NfsError) return error.status;
  if (error instanceof RpcError || error instanceof XdrError) throw error;
  log.error(
    { err: error, procedure: name, xid: call.xid, client: call.peer.address },
    'Cannot serve an NFS call: this is a bug',
  );
  return NfsStatus.SERVERFAULT;
}
