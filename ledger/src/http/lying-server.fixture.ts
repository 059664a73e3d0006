import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { writeLedger } from '../export/index.js';
import { signCheckpoint } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { LOG_SEED, LOG_VKEY, ORIGIN, type SampleLedger } from '../verify/sample-ledger.fixture.js';

export type Lie = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server of a log that can be told to say anything at any path. */
export class LyingServer {
  readonly asked: string[] = [];
  readonly lies = new Map<string, Lie>();
  mostAtOnce = 0;
  files: ReadonlyMap<string, Uint8Array> = new Map();
  #atOnce = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
  }

  static async start(): Promise<LyingServer> {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    return new LyingServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Where the log is. */
  get url(): string {
    return `${this.origin}/acme`;
  }

  get connections(): Promise<number> {
    return new Promise((resolve, reject) => this.server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((stopped) => this.server.close(stopped));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url!.replace('/acme/', '');
    this.asked.push(path);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    response.once('close', () => this.#atOnce--);
    const lie = this.lies.get(path);
    if (lie) return lie(request, response);
    const bytes = this.files.get(path);
    if (!bytes) return void response.writeHead(404).end('not here');
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes, { level: 1 }));
  }
}

/** A ledger as it is served, signed by its own key whatever is in it. */
export async function servedFiles({ entries, payloads }: Pick<SampleLedger, 'entries' | 'payloads'>): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const root = new MerkleTree(entries.map(leafHash)).root();
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: BigInt(entries.length), root }, LOG_SEED);
  await writeLedger((path, bytes) => void files.set(path, bytes), {
    checkpoint,
    entries,
    payloads,
    policy: `log ${LOG_VKEY}\nquorum none\n`,
  });
  return files;
}

/** The ledger with its entries in other places: an index for each place that is served, in order. */
export function rearranged({ entries, payloads, names }: SampleLedger, order: readonly number[]): SampleLedger {
  return {
    entries: order.map((index) => entries[index]!),
    payloads: order.map((index) => payloads[index]!),
    names: order.map((index) => names[index]!),
  };
}

export const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
