import {
  type VerifierKey,
  cosign,
  encodeVkey,
  formatSignature,
  openCheckpoint,
  parseVkey,
  publicKeyFromSeed,
  verifierKey,
  verifyConsistency,
} from '@coferment/ledger';
import { fastify } from 'fastify';

interface Asked {
  oldSize: number;
  proof: number;
  size: number;
  /** What it was answered. */
  status: number;
}

/** A witness outside the consortium as C2SP tlog-witness v1 has it, in memory, over real HTTP. Written by the specification, not by the client that it tests. */
export class HttpWitness {
  readonly #seed: Uint8Array;
  readonly key: VerifierKey;
  readonly asked: Asked[] = [];
  readonly #server = fastify();
  #last: { size: bigint; root: Uint8Array } | undefined;
  /** Answers this instead of what it should. */
  instead: { status: number; type?: string; body: string; times: number } | undefined;
  /** Adds these lines before its own. */
  before = '';
  url = '';

  constructor(
    readonly name: string,
    private readonly logVkey: () => string,
    seed = 7,
  ) {
    this.#seed = new Uint8Array(32).fill(seed);
    this.key = verifierKey('witness', name, publicKeyFromSeed(this.#seed));
    this.#server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    this.#server.post('/prefix/add-checkpoint', async (request, reply) => {
      const { status, type = 'text/plain', body, asked } = this.#answer(String(request.body));
      this.asked.push({ ...asked, status });
      return reply.code(status).type(type).send(body);
    });
  }

  get vkey(): string {
    return encodeVkey(this.key);
  }

  async listen(port = 0): Promise<this> {
    this.url = `${await this.#server.listen({ host: '127.0.0.1', port })}/prefix`;
    return this;
  }

  close(): Promise<void> {
    return this.#server.close() as unknown as Promise<void>;
  }

  /** As if it had been called before by somebody else. */
  remember(size: bigint, root: Uint8Array): void {
    this.#last = { size, root };
  }

  #answer(request: string): { status: number; type?: string; body: string; asked: Omit<Asked, 'status'> } {
    const separator = request.indexOf('\n\n');
    const [first = '', ...hashes] = request.slice(0, separator).split('\n');
    const oldSize = BigInt(/^old (0|[1-9][0-9]*)$/.exec(first)?.[1] ?? '-1');
    const proof = hashes.map((hash) => new Uint8Array(Buffer.from(hash, 'base64')));
    const { size, root, note } = openCheckpoint(request.slice(separator + 2), [parseVkey(this.logVkey())]);
    const asked = { oldSize: Number(oldSize), proof: proof.length, size: Number(size) };
    if (this.instead !== undefined && this.instead.times-- > 0) return { ...this.instead, asked };
    const last = this.#last ?? { size: 0n, root: new Uint8Array() };
    if (oldSize > size) return { status: 400, body: '', asked };
    if (oldSize !== last.size) return { status: 409, type: 'text/x.tlog.size', body: `${last.size}\n`, asked };
    const extendsLast =
      oldSize === 0n
        ? proof.length === 0
        : verifyConsistency({ olderSize: oldSize, olderRoot: last.root, newerSize: size, newerRoot: root, proof });
    if (!extendsLast) return { status: 422, body: '', asked };
    this.#last = { size, root };
    const now = BigInt(Math.floor(Date.now() / 1000));
    return { status: 200, body: this.before + formatSignature(cosign(note.text, now, { name: this.name, seed: this.#seed })), asked };
  }
}
