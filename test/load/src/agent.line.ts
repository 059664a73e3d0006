import { type Server, type Socket, connect, createServer } from 'node:net';

interface Pair {
  near: Socket;
  far: Socket;
}

/** The line of one agent to the coordinator: it can fall silent, or be cut in the middle of what is sent. */
export class AgentLine {
  readonly #pairs = new Set<Pair>();
  #server!: Server;
  #state: 'open' | 'silent' | 'cut' = 'open';
  #cutAfterBytes = Number.POSITIVE_INFINITY;

  private constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** @param address of the coordinator, `host:port` */
  static async open(address: string): Promise<AgentLine> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const line = new AgentLine(hostname, Number(port));
    line.#server = createServer({ pauseOnConnect: true, noDelay: true }, (near) => line.#take(near));
    await new Promise<void>((listening) => line.#server.listen(0, '127.0.0.1', listening));
    return line;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  silence(): void {
    this.#state = 'silent';
    for (const { near, far } of this.#pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  /** @param bytes that still pass from the agent to the coordinator before the line is cut */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** Open again. What was on a silent line is lost, as behind a device that has forgotten it, so that nobody goes on with half a connection. */
  restore(): void {
    if (this.#state === 'silent') this.#reset();
    this.#state = 'open';
    this.#cutAfterBytes = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#state = 'cut';
    this.#reset();
    await new Promise((closed) => this.#server.close(closed));
  }

  #reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  #take(near: Socket): void {
    near.on('error', () => undefined);
    if (this.#state !== 'open') {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: this.host, port: this.port, noDelay: true });
    const pair = { near, far };
    this.#pairs.add(pair);
    far.on('error', () => near.resetAndDestroy());
    near.on('data', (chunk: Buffer) => this.#count(chunk.length));
    for (const socket of [near, far]) {
      socket.once('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }

  #count(bytes: number): void {
    this.#cutAfterBytes -= bytes;
    if (this.#cutAfterBytes > 0 || this.#state !== 'open') return;
    this.#state = 'cut';
    this.#reset();
  }
}
