import { createHash } from 'node:crypto';
import { type ObjectPurpose, UploadServiceClient } from '@coferment/proto';
import { type Channel, credentials, Metadata } from '@grpc/grpc-js';
import type { OutgoingObject } from '../../../../client-agent/dist/connection/coordinator.port.js';
import { uploadObject } from '../../../../client-agent/dist/connection/object.transfer.js';
import { openChannel } from '../../../../client-agent/dist/connection/wire.channel.js';
import { type Credentials, SERVER_NAME } from './consortium.certificates.js';

/** Uploads that are under way at once: enough that the coordinator never waits, few enough that its disk holds no second copy of everything. */
const AT_ONCE = 16;

const PIECE_BYTES = 256 * 1024;
/** For a connection on loopback with its handshake, on a busy machine. */
const CONNECT_MS = 30_000;

export interface ObjectToSend extends OutgoingObject {
  bytes: Uint8Array;
}

/** From memory: what a site reads from its own disk is in the page cache, and is its own affair. */
export function objectOf(bytes: Uint8Array, purpose: ObjectPurpose): ObjectToSend {
  const pieces = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let from = offset; from < bytes.length; from += PIECE_BYTES) yield bytes.subarray(from, from + PIECE_BYTES);
  };
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { digest, size: bytes.length, pieces, purpose, run: 'r1-0000000000000000', bytes };
}

/** One TLS connection a site, opened before anything is timed, as an agent's is. */
export class SiteUploads {
  readonly #channels: Channel[] = [];
  readonly #clients: UploadServiceClient[] = [];

  constructor(
    private readonly address: string,
    private readonly credentials: Credentials,
  ) {}

  async open(sites: number): Promise<void> {
    const { facts, client } = this.credentials;
    const endpoint = { address: this.address, serverName: SERVER_NAME, caCertificate: facts.authority };
    for (let site = this.#clients.length; site < sites; site++) {
      const channel = openChannel(endpoint, { certificate: client.certificate, key: client.privateKey });
      const uploads = new UploadServiceClient(this.address, credentials.createInsecure(), { channelOverride: channel });
      await new Promise<void>((resolve, reject) => {
        const answer = (error: Error | null): void => (error === null ? resolve() : reject(error));
        uploads.getUpload({ digest: '0'.repeat(64) }, new Metadata(), { deadline: Date.now() + CONNECT_MS }, answer);
      });
      this.#channels.push(channel);
      this.#clients.push(uploads);
    }
  }

  /** `objects[i]` by site i, all sites at once. */
  async send(objects: readonly ObjectToSend[]): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let site = next++; site < objects.length; site = next++) {
        await uploadObject(this.#clients[site]!, objects[site]!);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, objects.length) }, worker));
  }

  close(): void {
    for (const channel of this.#channels.splice(0)) channel.close();
    this.#clients.length = 0;
  }
}
