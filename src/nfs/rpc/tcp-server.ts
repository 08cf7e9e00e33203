// RPC over TCP: several programs on one port.

import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../../clock.ts';
import { type Endpoint, ListenError, plainAddress } from './endpoint.ts';
import { defaultLimits, type TcpLimits } from './limits.ts';
import type { RpcLog } from './log.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { RpcProgram } from './program.ts';
import { RegionPool } from './region.ts';
import { RpcService } from './service.ts';
import { SoleCaller } from './sole-caller.ts';
import { ServerStatistics } from './statistics.ts';
import { type ConnectionContext, TcpConnection } from './tcp-connection.ts';

export interface TcpServerOptions {
  readonly programs: readonly RpcProgram[];
  readonly log: RpcLog;
  readonly clock: Clock;
  readonly limits?: Partial<TcpLimits>;
  /** For tests: makes a use of a call's bytes after its answer visible. */
  readonly overwriteFreed?: boolean;
}

export interface ClientInfo {
  readonly address: string;
  readonly port: number;
  readonly connectedForMs: number;
  readonly calls: number;
  readonly sinceLastCallMs: number;
}

const KEEP_ALIVE_MS = 60_000;
/** How often idle connections are looked for, at most. */
const SWEEP_MS = 30_000;

export class TcpServer {
  readonly endpoint: Endpoint;
  readonly statistics: ServerStatistics;
  readonly #server: Server;
  readonly #context: ConnectionContext;
  readonly #connections: Set<TcpConnection>;
  #sweep: Timer;
  #drained: (() => void) | undefined;

  /** @throws ListenError */
  static async listen(options: TcpServerOptions, endpoint: Endpoint): Promise<TcpServer> {
    const server = createServer({
      pauseOnConnect: true,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new ListenError(endpoint, error)));
      server.listen(endpoint, resolve);
    });
    return new TcpServer(options, server, endpoint.host);
  }

  private constructor(options: TcpServerOptions, server: Server, host: string) {
    const { log, clock, programs } = options;
    const address = server.address();
    this.endpoint = { host, port: typeof address === 'object' && address ? address.port : 0 };
    const service = new RpcService(programs, log);
    const limits = { ...defaultLimits, ...options.limits };
    this.statistics = new ServerStatistics(service.statistics);
    this.#server = server;
    this.#connections = new Set();
    this.#context = {
      service,
      log,
      clock,
      limits,
      statistics: this.statistics,
      memory: new MemoryBudget(limits, this.#connections),
      regions: new RegionPool({ overwriteFreed: options.overwriteFreed ?? false }),
      writers: [],
      soleCaller: new SoleCaller(),
      closed: (connection) => this.#closed(connection),
    };
    server.removeAllListeners('error');
    server.on('error', (error) => log.error({ err: error }, 'Cannot accept connections'));
    server.on('connection', (socket) => this.#accept(socket));
    this.#sweep = this.#sweepLater();
  }

  clients(): ClientInfo[] {
    const nowMs = this.#context.clock.elapsedMs();
    return Array.from(this.#connections, ({ peer, connectedMs, calls, lastCallMs }) => ({
      ...peer,
      connectedForMs: nowMs - connectedMs,
      calls,
      sinceLastCallMs: nowMs - lastCallMs,
    }));
  }

  /** One connection alone is calling, and waits for an answer. */
  get hasSoleWaiter(): boolean {
    const { soleCaller, clock } = this.#context;
    return this.statistics.callsInFlight > 0 && soleCaller.isSole(clock.elapsedMs());
  }

  /** Accepts and reads nothing more, answers the calls in flight, and after `deadlineMs` closes regardless. */
  async close(deadlineMs: number): Promise<void> {
    this.#sweep.cancel();
    this.#server.close();
    if (this.#connections.size === 0) return;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    const deadline = this.#context.clock.after(deadlineMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    for (const connection of this.#connections) connection.end();
    await drained;
    deadline.cancel();
  }

  #accept(socket: Socket): void {
    const { log, limits } = this.#context;
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: plainAddress(remoteAddress), port: remotePort };
    if (this.#connections.size >= limits.connectionsMax) {
      this.statistics.connectionsRefused++;
      log.warn(
        peer,
        `Closed new connection of ${peer.address}: ${limits.connectionsMax} are open, which is the limit`,
      );
      socket.destroy();
      return;
    }
    this.statistics.connectionsAccepted++;
    this.#connections.add(new TcpConnection(this.#context, socket, peer));
  }

  #closed(connection: TcpConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#drained?.();
  }

  #sweepLater(): Timer {
    const { clock, limits } = this.#context;
    return clock.after(Math.min(SWEEP_MS, limits.idleMs), () => {
      const nowMs = clock.elapsedMs();
      for (const connection of this.#connections) {
        const idleMs = connection.idleMs(nowMs);
        if (idleMs >= limits.idleMs)
          connection.abort(`it has sent no call for ${Math.round(idleMs / 1000)} s`, 'info');
      }
      this.#sweep = this.#sweepLater();
    });
  }
}
