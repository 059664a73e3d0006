import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A proxy that opens tunnels for whoever knows its password, as companies have them. */
export class PasswordProxy {
  tunnels = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly user: string,
    readonly password: string,
  ) {
    this.#server = createServer((_request, response) => response.writeHead(405).end());
    this.#server.on('connect', (request, socket: Socket) => {
      const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      if (request.headers['proxy-authorization'] !== expected) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      // Whatever name is asked for stands for the coordinator on this machine: an agent sends nothing of its own machine through a proxy.
      const port = Number(request.url!.split(':').at(-1));
      const out = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 Connection Established\r\n\r\n'));
      this.tunnels += 1;
      for (const side of [socket, out]) {
        this.#sockets.add(side);
        side.on('error', () => side.destroy());
      }
      return socket.pipe(out).pipe(socket);
    });
  }

  static async start(user: string, password: string): Promise<PasswordProxy> {
    const proxy = new PasswordProxy(user, password);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://${this.user}:${this.password}@127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
