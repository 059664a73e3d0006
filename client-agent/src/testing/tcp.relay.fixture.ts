import { createServer, connect, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import type { NetworkAddress } from '@coferment/consortium';

interface Pair {
  near: Socket;
  far: Socket;
  /** What travels on the line, in either direction. */
  out: Transform;
  back: Transform;
}

/** A line that can be cut: it passes TCP connections on to one address, and can stop doing so in the ways in which networks do. */
export class TcpRelay {
  /** Connections that were taken so far. */
  connections = 0;
  /** Bytes that the dialling side has sent through it. */
  sentBytes = 0;
  #server!: Server;
  #pairs = new Set<Pair>();
  readonly #forgotten: Pair[] = [];
  #state: 'open' | 'silent' | 'refusing' = 'open';
  #whenSent: { bytes: number; act: () => void } | undefined;
  #delayMs = 0;

  private constructor(private target: NetworkAddress) {}

  static async start(target: NetworkAddress, listen: NetworkAddress = { host: '127.0.0.1', port: 0 }): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    relay.#server = createServer({ pauseOnConnect: true }, (near) => relay.#take(near));
    await new Promise<void>((listening) => relay.#server.listen(listen.port, listen.host, listening));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Nothing passes any more, and nobody is told: a cable that was pulled, a firewall that drops. New connections wait. */
  silence(): void {
    this.#state = 'silent';
    for (const pair of this.#pairs) stop(pair);
  }

  /** Every connection is reset, and so is every new one: a device that was restarted, a link that is administratively down. */
  refuse(): void {
    this.#state = 'refusing';
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Passes on again: what waited, and what is new. */
  restore(): void {
    this.#state = 'open';
    for (const pair of this.#pairs) go(pair);
  }

  /** Passes on what is new. What there was stays silent for good, as behind a NAT that has forgotten it: neither end is told. */
  forget(): void {
    for (const pair of this.#pairs) stop(pair);
    this.#forgotten.push(...this.#pairs);
    this.#pairs = new Set();
    this.#state = 'open';
  }

  /** Every piece of data takes so much longer from now on, in both directions, and the next waits for it: a slow line as well as a long one. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** New connections go to another address from now on, as when a server was started again on another port. */
  leadTo(target: NetworkAddress): void {
    this.target = target;
  }

  /** Calls `act` once the dialling side has sent so many bytes more. */
  afterSending(bytes: number, act: () => void): void {
    this.#whenSent = { bytes: this.sentBytes + bytes, act };
  }

  async stop(): Promise<void> {
    this.refuse();
    for (const { near, far } of this.#forgotten) {
      near.destroy();
      far.destroy();
    }
    await new Promise((closed) => this.#server.close(closed));
  }

  #take(near: Socket): void {
    this.connections += 1;
    near.on('error', () => undefined);
    if (this.#state === 'refusing') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.target);
    const pair = { near, far, out: this.#line(), back: this.#line() };
    this.#pairs.add(pair);
    far.on('error', () => near.resetAndDestroy());
    near.on('data', (chunk: Buffer) => this.#count(chunk.length));
    for (const socket of [near, far]) socket.once('close', () => this.#end(pair));
    if (this.#state === 'open') go(pair);
    else near.pause();
  }

  #line(): Transform {
    const later = (chunk: Buffer, done: (error: null, chunk: Buffer) => void): void => {
      if (this.#delayMs === 0) done(null, chunk);
      else setTimeout(done, this.#delayMs, null, chunk);
    };
    return new Transform({ transform: (chunk: Buffer, _encoding, done) => later(chunk, done) });
  }

  #count(bytes: number): void {
    this.sentBytes += bytes;
    if (this.#whenSent === undefined || this.sentBytes < this.#whenSent.bytes) return;
    const { act } = this.#whenSent;
    this.#whenSent = undefined;
    act();
  }

  #end(pair: Pair): void {
    // A pair that was forgotten tells its other end nothing.
    if (!this.#pairs.delete(pair)) return;
    pair.near.destroy();
    pair.far.destroy();
  }
}

function go({ near, far, out, back }: Pair): void {
  near.pipe(out).pipe(far);
  far.pipe(back).pipe(near);
}

function stop({ near, far, out, back }: Pair): void {
  near.unpipe(out).pause();
  out.unpipe(far);
  far.unpipe(back).pause();
  back.unpipe(near);
}
