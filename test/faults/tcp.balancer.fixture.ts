import { type Server, type Socket, connect, createServer } from 'node:net';
import type { NetworkAddress } from '@coferment/consortium';

/** Passes each TCP connection on to the next of several addresses that takes it. It knows nothing of what is in it, like any TCP balancer. */
export class TcpBalancer {
  /** Connections that each address has taken. */
  readonly taken: number[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next = 0;

  private constructor(private readonly targets: readonly NetworkAddress[]) {
    this.taken = targets.map(() => 0);
    this.#server = createServer({ pauseOnConnect: true }, (near) => this.#take(near, targets.length));
  }

  static async start(targets: readonly NetworkAddress[]): Promise<TcpBalancer> {
    const balancer = new TcpBalancer(targets);
    await new Promise<void>((listening) => balancer.#server.listen(0, '127.0.0.1', listening));
    return balancer;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** @param left addresses that may still be tried for this connection */
  #take(near: Socket, left: number): void {
    const index = this.#next++ % this.targets.length;
    const far = connect(this.targets[index]!);
    far.once('error', () => {
      far.destroy();
      if (left > 1) this.#take(near, left - 1);
      else near.resetAndDestroy();
    });
    far.once('connect', () => {
      far.removeAllListeners('error');
      this.taken[index]!++;
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => undefined);
        one.once('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }
}
