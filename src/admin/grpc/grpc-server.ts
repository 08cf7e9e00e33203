// The admin service over gRPC: always on a UNIX socket, on request over TCP, with reflection and health.

import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerOptions,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Clock } from '../../clock.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { AdminLog } from '../admin-log.ts';
import type { GrpcSettings } from '../config/grpc-settings.ts';
import { type HostPort, hostPortText } from '../config/host-port.ts';
import type { ManagedServer } from '../managed-server.ts';
import { listenError } from '../start-error.ts';
import { adminHandlers } from './admin-handlers.ts';
import type { CheckRequest } from './admin-messages.ts';
import { adminPackage, adminService } from './admin-proto.ts';
import { requireToken } from './bearer-token.ts';
import { logChange } from './change-log.ts';
import { diffCall } from './diff-call.ts';
import type { DiffRequestMessage } from './diff-messages.ts';
import { type GrpcFailure, grpcFailureOf } from './grpc-status.ts';
import { Health } from './health.ts';
import { encodedAnswer, withEncodedLists } from './list-answers.ts';
import { placeSocket } from './socket-file.ts';
import { streamCall } from './stream-call.ts';

export interface AdminServerOptions {
  readonly server: ManagedServer;
  readonly log: AdminLog;
  readonly clock: Clock;
  readonly socket: string;
  readonly tcp: GrpcSettings | undefined;
}

export interface AdminServer {
  readonly socket: string;
  readonly tcp: HostPort | undefined;
  /** Answers the calls under way, for at most `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** @throws StartError */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const health = new Health(options.server, options.clock);
  const implementation = implementationOf(options);
  const local = grpcServer(implementation, health, {});
  const file = await placeSocket(options.socket, async (path) => {
    await bind(local, `unix:${path}`, ServerCredentials.createInsecure());
  });
  const servers = [local];
  const close = async (deadlineMs: number): Promise<void> => {
    health.stop();
    await Promise.all(servers.map((server) => shutDown(server, options.clock, deadlineMs)));
    await file.remove();
  };
  if (!options.tcp) return { socket: file.path, tcp: undefined, close };
  const { token } = options.tcp;
  const interceptors = token ? [requireToken(token, options.log, options.clock)] : [];
  const remote = grpcServer(implementation, health, { interceptors });
  servers.push(remote);
  try {
    return { socket: file.path, tcp: await listen(remote, options.tcp), close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

function grpcServer(
  implementation: UntypedServiceImplementation,
  health: Health,
  options: ServerOptions,
): Server {
  const server = new Server(options);
  server.addService(withEncodedLists(adminService), implementation);
  health.addToServer(server);
  new ReflectionService(adminPackage).addToServer(server);
  return server;
}

async function listen(server: Server, { listen, tls }: GrpcSettings): Promise<HostPort> {
  try {
    const credentials = tls
      ? ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }])
      : ServerCredentials.createInsecure();
    return { host: listen.host, port: await bind(server, hostPortText(listen), credentials) };
  } catch (cause) {
    const code = /\b(E[A-Z]{3,})\b/.exec(String(cause))?.[1];
    throw listenError({ endpoint: hostPortText(listen), flag: '--grpc-listen', code, cause });
  }
}

async function bind(server: Server, target: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

async function shutDown(server: Server, clock: Clock, deadlineMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const late = clock.after(deadlineMs, () => server.forceShutdown());
    server.tryShutdown(() => {
      late.cancel();
      resolve();
    });
  });
}

function implementationOf({ server, log, clock }: AdminServerOptions): UntypedServiceImplementation {
  const failureIn = (method: string) => (error: unknown) => failureOf(error, method, server, log);
  const unary = Object.entries(adminHandlers(server, log)).map(([method, handler]) => [
    method,
    unaryCall({
      handler: handler as (request: unknown) => object | Promise<object>,
      encoded: (answer) => encodedAnswer(adminService, method, answer),
      answered: (request, peer) => logChange({ method, request, peer }, log),
      clock,
      failure: failureIn(method),
    }),
  ]);
  return {
    ...Object.fromEntries(unary),
    Check: streamCall(
      ({ path, repair }: CheckRequest) => server.check({ path: path === '' ? undefined : path, repair }),
      failureIn('Check'),
    ),
    Diff: streamCall(
      (request: DiffRequestMessage, signal) => diffCall(server, request, signal),
      failureIn('Diff'),
    ),
  };
}

interface UnaryParts {
  readonly handler: (request: unknown) => object | Promise<object>;
  readonly encoded: (answer: object) => Promise<object>;
  readonly answered: (request: unknown, peer: string) => void;
  readonly clock: Clock;
  readonly failure: (error: unknown) => GrpcFailure;
}

function unaryCall({
  handler,
  encoded,
  answered: onAnswer,
  clock,
  failure,
}: UnaryParts): handleUnaryCall<unknown, unknown> {
  return (call, answer) => {
    void (async () => {
      try {
        const beganMs = clock.elapsedMs();
        const answered = await handler(call.request);
        // Messages of what changes nothing have no such field, and leave it out.
        const elapsedUs = Math.round((clock.elapsedMs() - beganMs) * 1000);
        onAnswer(call.request, call.getPeer());
        answer(null, await encoded({ ...answered, elapsedUs }));
      } catch (error) {
        answer(failure(error));
      }
    })();
  };
}

function failureOf(error: unknown, method: string, server: ManagedServer, log: AdminLog): GrpcFailure {
  const expected = grpcFailureOf(error);
  if (expected) return expected;
  // The log has said it once, with its cause: who asks again learns why, and the log nothing new.
  const storeFailure = error instanceof FsError && error.code === 'EIO' ? server.failure() : undefined;
  if (storeFailure !== undefined) return { code: status.INTERNAL, details: storeFailure };
  log.error({ err: error, method }, `Cannot answer ${method}`);
  const details = 'The server has met an error of its own; its log has the details';
  return { code: status.INTERNAL, details };
}
