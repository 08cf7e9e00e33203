// One client's connection: from bytes that arrive to replies that leave, in one turn where the procedures allow it.
//
//   socket -> region or record -> RpcCall -> procedure -> reply buffer -> one write per turn
//
// Everything here happens in the socket's read callback, or in the turn in which a later answer settles. Reading stops
// while a limit is reached; complete records that were received already wait in their region.

import type { Socket } from 'node:net';
import type { Clock } from '../../clock.ts';
import { XdrReader } from '../xdr/reader.ts';
import { type Peer, RpcCall } from './call.ts';
import { Conversation } from './conversation.ts';
import { CredentialReader } from './credential.ts';
import { readDirectly } from './direct-read.ts';
import type { TcpLimits } from './limits.ts';
import type { RpcLog } from './log.ts';
import type { BudgetHolder, MemoryBudget } from './memory-budget.ts';
import { RecordReader } from './record.ts';
import type { Region, RegionPool } from './region.ts';
import { type FreeWriters, ReplyQueue } from './reply-queue.ts';
import { StreamError } from './rpc-error.ts';
import type { RpcService, Served } from './service.ts';
import type { SoleCaller } from './sole-caller.ts';
import type { ServerStatistics } from './statistics.ts';

/** What the connections of a server have in common. */
export interface ConnectionContext {
  readonly service: RpcService;
  readonly log: RpcLog;
  readonly clock: Clock;
  readonly limits: TcpLimits;
  readonly statistics: ServerStatistics;
  readonly memory: MemoryBudget;
  readonly regions: RegionPool;
  readonly writers: FreeWriters;
  readonly soleCaller: SoleCaller;
  closed(connection: TcpConnection): void;
}

export class TcpConnection implements BudgetHolder {
  readonly peer: Peer;
  readonly connectedMs: number;
  calls = 0;
  lastCallMs: number;
  progressMs: number;
  stalledBytes = 0;

  readonly #context: ConnectionContext;
  readonly #socket: Socket;
  readonly #replies: ReplyQueue;
  readonly #records: RecordReader;
  readonly #from: XdrReader;
  readonly #credentials = new CredentialReader();
  readonly #conversation: Conversation;
  /** For the next call; a call that is answered later keeps its own. */
  #call: RpcCall;
  #callsInFlight = 0;
  #callBytesInFlight = 0;
  /** That the calls in flight may take. */
  #replyBytesInFlight = 0;
  /** Read once per turn and once per call. */
  #nowMs: number;
  #flushIsDue = false;
  #reading = true;
  /** No more calls: the client has ended its side, or the server shuts down. */
  #ending = false;
  #closed = false;

  constructor(context: ConnectionContext, accepted: Socket, peer: Peer) {
    this.#context = context;
    this.peer = peer;
    this.connectedMs = this.lastCallMs = this.progressMs = this.#nowMs = context.clock.elapsedMs();
    this.#conversation = new Conversation(peer.address, peer.port);
    this.#call = new RpcCall(peer, this.#conversation);
    this.#records = new RecordReader(context.regions);
    this.#from = new XdrReader(this.#records.region.bytes);
    this.#socket = readDirectly(accepted, {
      space: () => this.#records.space(),
      received: (count) => this.#received(count),
    });
    this.#replies = new ReplyQueue(this.#socket, context.writers);
    this.#socket.on('drain', () => this.resume());
    this.#socket.on('end', () => this.end());
    this.#socket.on('error', (error) => context.log.debug({ err: error, ...peer }, 'Connection failed'));
    this.#socket.on('close', () => this.#onClose());
  }

  /** No call has come for this long, and none is being worked on. */
  idleMs(nowMs: number): number {
    return this.#callsInFlight > 0 ? 0 : nowMs - this.lastCallMs;
  }

  get callBytes(): number {
    return this.#callBytesInFlight + this.#replyBytesInFlight;
  }

  /** Serves what has waited for room, and reads on. */
  resume(): void {
    if (this.#closed) return;
    this.progressMs = this.#nowMs = this.#context.clock.elapsedMs();
    this.#serve();
  }

  /** Answers the calls in flight, takes no more, and closes. */
  end(): void {
    this.#ending = true;
    this.#setReading(false);
    this.#closeWhenDone();
  }

  /** Closes for a reason that lies with the client; replies that are ready still leave if it takes them. */
  abort(reason: string, level: 'info' | 'warn' = 'warn'): void {
    if (!this.#socket.writable) {
      this.#socket.destroy();
      return;
    }
    this.#context.statistics.connectionsClosed++;
    this.#context.log[level]({ ...this.peer }, `Closed connection of ${this.peer.address}: ${reason}`);
    this.#ending = true;
    this.#setReading(false);
    this.#flush();
    if (this.#socket.writableLength === 0) this.#socket.destroySoon();
    else this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(count: number): void {
    this.#context.statistics.bytesReceived += count;
    if (!this.#records.holdsBytes) this.#conversation.wentOn(this.calls, this.#callsInFlight);
    this.#records.received(count);
    this.progressMs = this.#nowMs = this.#context.clock.elapsedMs();
    this.#context.soleCaller.called(this, this.#nowMs);
    this.#serve();
  }

  #serve(): void {
    try {
      while (this.#serveReceived()) this.#flush();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.abort(error.message);
      return;
    }
    this.#flush();
    if (this.#ending) this.#closeWhenDone();
    else this.#setReading(!this.#isFull());
  }

  /** Serves complete records; true when it stopped at a limit, and a flush may help. */
  #serveReceived(): boolean {
    while (!this.#isFull()) {
      if (this.#ending || !this.#records.next()) return false;
      this.#serveRecord();
    }
    return this.#replies.unsentBytes > 0;
  }

  #serveRecord(): void {
    const { shared } = this.#records;
    const startedMs = this.#nowMs;
    this.calls++;
    const served = this.#callRecord();
    // A large record is the consumer's now: an idle connection must not keep it.
    if (!shared) this.#letGo();
    // One reading of the clock per call: the end of one is the start of the next.
    this.#nowMs = this.lastCallMs = this.#context.clock.elapsedMs();
    served?.statistics.record(this.lastCallMs - startedMs);
  }

  /** Calls what the record says; returns the procedure when it has been answered. */
  #callRecord(): Served | undefined {
    const { service, statistics } = this.#context;
    const { bytes, start, end, shared } = this.#records;
    const call = this.#call;
    let served: Served | undefined;
    this.#from.reset(bytes, start, end);
    try {
      call.begin(this.#from, this.#credentials, shared);
      served = service.find(call);
      served.statistics.calls++;
      served.statistics.bytesReceived += end - start;
      const result = service.run(served, call, this.#from);
      if (result instanceof Promise) {
        this.#answerLater(served, call, result);
        return undefined;
      }
      this.#replies.writer().success(call.xid, served.procedure.result, result);
      served.statistics.answered(result);
    } catch (error) {
      if (error instanceof StreamError) throw error;
      if (!served) statistics.callsRefused++;
      service.failed(served, call, error, this.#replies.writer());
    }
    return served;
  }

  #letGo(): void {
    this.#records.letGo();
    this.#call.letGo();
    this.#from.reset(this.#records.region.bytes, 0, 0);
  }

  #answerLater(served: Served, call: RpcCall, result: Promise<unknown>): void {
    const { statistics, memory } = this.#context;
    const region = this.#records.shared ? this.#records.region : undefined;
    const startedMs = this.#nowMs;
    this.#call = new RpcCall(this.peer, this.#conversation);
    this.#callsInFlight++;
    statistics.callsInFlight++;
    this.#callBytesInFlight += call.length;
    this.#replyBytesInFlight += call.replyBytes;
    memory.addCall(call.length + call.replyBytes);
    region?.pin();
    result.then(
      (value) => this.#answer(served, call, startedMs, region, value),
      (error) => this.#answer(served, call, startedMs, region, undefined, error),
    );
  }

  #answer(
    served: Served,
    call: RpcCall,
    startedMs: number,
    region: Region | undefined,
    value: unknown,
    error?: unknown,
  ): void {
    const { service, clock, statistics, memory } = this.#context;
    if (!this.#closed) {
      try {
        if (error !== undefined) throw error;
        this.#replies.writer().success(call.xid, served.procedure.result, value);
        served.statistics.answered(value);
      } catch (error) {
        service.failed(served, call, error, this.#replies.writer());
      }
    }
    served.statistics.record(clock.elapsedMs() - startedMs);
    region?.unpin();
    this.#callsInFlight--;
    statistics.callsInFlight--;
    this.#callBytesInFlight -= call.length;
    this.#replyBytesInFlight -= call.replyBytes;
    memory.releaseCall(call.length + call.replyBytes);
    if (this.#flushIsDue || this.#closed) return;
    this.#flushIsDue = true;
    // Answers often settle together, by one commit: the tick comes when all of them are written.
    process.nextTick(() => this.#flushAnswers());
  }

  #flushAnswers(): void {
    this.#flushIsDue = false;
    if (this.#closed) return;
    this.#nowMs = this.#context.clock.elapsedMs();
    if (this.#reading) this.#flush();
    else this.#serve();
  }

  #isFull(): boolean {
    const { limits, memory } = this.#context;
    const memoryIsFull = memory.isFullFor(this);
    if (memoryIsFull) memory.wait(this);
    return (
      memoryIsFull ||
      this.#callsInFlight >= limits.callsInFlightMax ||
      this.#callBytesInFlight >= limits.callBytesInFlightMax ||
      this.#replies.backlogBytes + this.#replyBytesInFlight > limits.replyBacklogBytesMax
    );
  }

  #setReading(reading: boolean): void {
    if (reading === this.#reading || this.#closed) return;
    this.#reading = reading;
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  #flush(): void {
    this.#context.statistics.bytesSent += this.#replies.flush();
    this.#account();
  }

  #account(): void {
    const stalledBytes = this.#closed ? 0 : this.#records.unfinishedBytes + this.#socket.writableLength;
    const change = stalledBytes - this.stalledBytes;
    this.stalledBytes = stalledBytes;
    if (change !== 0) this.#context.memory.addStalled(change);
  }

  #closeWhenDone(): void {
    if (this.#callsInFlight > 0 || !this.#socket.writable) return;
    this.#flush();
    this.#socket.destroySoon();
  }

  #onClose(): void {
    this.#closed = true;
    this.#records.close();
    this.#account();
    this.#context.memory.forget(this);
    this.#context.closed(this);
  }
}
