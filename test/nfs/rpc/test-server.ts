// A server for tests of the transport: a program whose procedures answer in every way there is, its log in an array.

import type { Clock } from '../../../src/clock.ts';
import { systemClock } from '../../../src/clock.ts';
import type { RpcCall } from '../../../src/nfs/rpc/call.ts';
import type { TcpLimits } from '../../../src/nfs/rpc/limits.ts';
import { nullProcedure, procedure, type RpcProgram } from '../../../src/nfs/rpc/program.ts';
import { RpcError } from '../../../src/nfs/rpc/rpc-error.ts';
import { TcpServer } from '../../../src/nfs/rpc/tcp-server.ts';
import { encodeMessage } from '../../../src/nfs/xdr/message.ts';
import { opaque, opaqueParts } from '../../../src/nfs/xdr/opaque.ts';
import { nothing, u32 } from '../../../src/nfs/xdr/primitives.ts';
import { struct } from '../../../src/nfs/xdr/struct.ts';

export const PROGRAM = 0x20000001;
const DATA_BYTES_MAX = 1024 * 1024;

/** By number. */
export const Echo = {
  null: 0,
  echo: 1,
  later: 2,
  encoded: 3,
  payload: 4,
  weak: 5,
  bug: 6,
  lateBug: 7,
  keep: 8,
  badResult: 9,
  payloadLater: 10,
};

interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface TestServer extends AsyncDisposable {
  readonly server: TcpServer;
  readonly port: number;
  readonly log: LogLine[];
  /** Resolves with the line when `text` has been logged. */
  logged(text: string): Promise<LogLine>;
  /** Calls of `later` and `payloadLater` that wait, in order of arrival: each answers when called. */
  readonly waiting: (() => void)[];
  /** Resolves when `count` calls wait. */
  waits(count: number): Promise<void>;
  /** What `keep` has kept. */
  readonly kept: Buffer[];
  readonly calls: Pick<RpcCall, 'xid' | 'credential' | 'peer'>[];
}

export async function serve(
  limits: Partial<TcpLimits> = {},
  clock: Clock = systemClock,
): Promise<TestServer> {
  const log: LogLine[] = [];
  const waiting: (() => void)[] = [];
  const kept: Buffer[] = [];
  const calls: TestServer['calls'] = [];
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  const until = <T>(found: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const look = () => {
        const value = found();
        if (value === undefined) return;
        watchers.delete(look);
        resolve(value);
      };
      watchers.add(look);
      look();
    });
  const line = (level: string) => (fields: object, message: string) => {
    log.push({ level, fields, message });
    changed();
  };
  const data = struct({ data: opaque(DATA_BYTES_MAX) });
  const program: RpcProgram = {
    program: PROGRAM,
    version: 3,
    name: 'ECHO',
    procedures: [
      nullProcedure,
      procedure({
        name: 'ECHO',
        args: data,
        result: data,
        run(call, { data }) {
          const { xid, credential, peer } = call;
          calls.push({ xid, credential, peer });
          return { data: call.retain(data) };
        },
      }),
      procedure({
        name: 'LATER',
        args: data,
        result: data,
        run: (call, value) =>
          new Promise<typeof value>((resolve) => {
            waiting.push(() => resolve({ data: call.retain(value.data) }));
            changed();
          }),
      }),
      procedure({ name: 'ENCODED', args: data, result: data, run: (_, value) => encodeMessage(data, value) }),
      procedure({
        name: 'PAYLOAD',
        args: struct({ count: u32 }),
        result: struct({ data: opaqueParts(64 * DATA_BYTES_MAX) }),
        run: (_, { count }) => ({ data: [Buffer.alloc(1, 1), Buffer.alloc(count - 1, 2)] }),
      }),
      procedure({
        name: 'WEAK',
        args: nothing,
        result: nothing,
        run() {
          throw new RpcError('AUTH_TOOWEAK', 'Cannot serve AUTH_NONE');
        },
      }),
      procedure({
        name: 'BUG',
        args: nothing,
        result: nothing,
        run() {
          throw new TypeError('a bug');
        },
      }),
      procedure({
        name: 'LATE BUG',
        args: nothing,
        result: nothing,
        run: () => Promise.reject(new TypeError('a late bug')),
      }),
      procedure({
        name: 'KEEP',
        args: data,
        result: nothing,
        run(call, value) {
          kept.push(call.retain(value.data));
          return undefined;
        },
      }),
      procedure({
        name: 'BAD RESULT',
        args: nothing,
        result: struct({ first: u32, data: opaque(2) }),
        run: () => ({ first: 1, data: Buffer.alloc(3) }),
      }),
      procedure({
        name: 'PAYLOAD LATER',
        args: struct({ count: u32 }),
        result: struct({ data: opaqueParts(64 * DATA_BYTES_MAX) }),
        run(call, { count }) {
          call.replyBytes = count;
          return new Promise<{ data: Buffer[] }>((resolve) => {
            waiting.push(() => resolve({ data: [Buffer.alloc(count, 3)] }));
            changed();
          });
        },
      }),
    ],
  };
  const older: RpcProgram = { ...program, version: 2, procedures: [nullProcedure] };
  const server = await TcpServer.listen(
    {
      programs: [program, older],
      log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      clock,
      limits,
      overwriteFreed: true,
    },
    { host: '127.0.0.1', port: 0 },
  );
  return {
    server,
    port: server.endpoint.port,
    log,
    logged: (text) => until(() => log.find(({ message }) => message.includes(text))),
    waiting,
    waits: (count) => until(() => (waiting.length >= count ? true : undefined)).then(() => undefined),
    kept,
    calls,
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
