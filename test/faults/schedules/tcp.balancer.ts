import { createServer, connect, type Server, type Socket } from 'node:net';
import type { NetworkAddress } from '@coferment/consortium';

/** The least that a balancer does: takes TCP connections and leads each to a backend that answers, in turns. It looks at no byte that passes. */
export class TcpBalancer {
  readonly #backends = new Map<string, NetworkAddress>();
  readonly #open = new Set<Socket>();
  #turn = 0;
  #server!: Server;

  private constructor() {}

  static async start(): Promise<TcpBalancer> {
    const balancer = new TcpBalancer();
    balancer.#server = createServer((near) => balancer.#take(near));
    await new Promise<void>((listening) => balancer.#server.listen(0, '127.0.0.1', listening));
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** From now on the backend of this name is there. One that dies need not be taken out: it refuses, and the next one is tried. */
  put(name: string, address: NetworkAddress): void {
    this.#backends.set(name, address);
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  #take(near: Socket): void {
    this.#keep(near);
    const all = [...this.#backends.values()];
    const first = this.#turn++;
    this.#lead(
      near,
      all.map((_, index) => all[(first + index) % all.length]!),
    );
  }

  #lead(near: Socket, [target, ...others]: readonly NetworkAddress[]): void {
    if (target === undefined) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(target);
    this.#keep(far);
    const next = (): void => this.#lead(near, others);
    far.once('error', next);
    far.once('connect', () => {
      far.off('error', next);
      far.once('close', () => near.destroy());
      near.once('close', () => far.destroy());
      near.pipe(far).pipe(near);
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#open.delete(socket));
  }
}
