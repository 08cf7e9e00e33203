// grpc.health.v1: what /readyz says, for those who ask by gRPC. A store that has failed is found by looking each second.

import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Clock, Timer } from '../../clock.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ADMIN_SERVICE } from './admin-proto.ts';

const LOOK_MS = 1000;
/** '' is the server as a whole. */
const SERVICES = ['', ADMIN_SERVICE];

export class Health {
  readonly #implementation = new HealthImplementation({});
  readonly #server: Pick<ManagedServer, 'failure'>;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isServing = false;

  constructor(server: Pick<ManagedServer, 'failure'>, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.#set(false);
    this.#look();
  }

  addToServer(server: Server): void {
    this.#implementation.addToServer(server);
  }

  /** The server is stopping. */
  stop(): void {
    this.#timer?.cancel();
    this.#set(false);
  }

  #look(): void {
    const isServing = this.#server.failure() === undefined;
    // Watchers are told of changes only.
    if (isServing !== this.#isServing) this.#set(isServing);
    this.#timer = this.#clock.after(LOOK_MS, () => this.#look());
  }

  #set(isServing: boolean): void {
    this.#isServing = isServing;
    for (const service of SERVICES) {
      this.#implementation.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING');
    }
  }
}
