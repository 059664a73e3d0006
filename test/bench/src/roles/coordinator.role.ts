import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import {
  type AggregationParameters,
  type VectorShape,
  ciphertextBlockDigests,
  coefficientCount,
  combine,
  loadCrypto,
  merkleRoot,
  shareBlockDigests,
  sumCiphertexts,
  unpackSum,
} from '@coferment/crypto';
import { sumBytes } from '../../../../coordinator/dist/aggregation/sum.opening.js';
import { ObjectStore } from '../../../../coordinator/dist/objects/object.store.js';
import { Settings } from '../../../../coordinator/dist/settings.js';
import { type Sample, timed } from '../measure/sample.statistics.js';
import { type Credentials, issueCredentials } from './consortium.certificates.js';
import type { SignedObject } from './member.role.js';
import { peakMemory, restartPeakMemory, settledMemory } from './process.memory.js';
import { serveRole } from './role.channel.js';
import { UploadPort } from './upload.port.js';

export interface OpeningOrder {
  parameters: AggregationParameters;
  shape: VectorShape;
  uploads: SignedObject[];
  /** By position of the holder. */
  shares: SignedObject[];
}

export interface Opening {
  sum: Sample;
  combine: Sample;
  publish: Sample;
  /** SHA-256 of the published sum, which is its name in the store. */
  sumObject: string;
  sumBytes: number;
}

interface Running {
  store: ObjectStore;
  port: UploadPort;
}

let running: Running | undefined;

function started(): Running {
  if (running === undefined) throw new Error('The coordinator was not started.');
  return running;
}

/** The bytes of an object, refused unless its blocks are those that were signed for. */
function readSigned({ object, merkleRoot: root }: SignedObject, leaves: (bytes: Uint8Array) => Uint8Array[]): Uint8Array {
  const bytes = started().store.read(object);
  if (merkleRoot(leaves(bytes)) !== root) throw new Error(`The object ${object} is not what was signed for.`);
  return bytes;
}

/** From digit sums to a float32 model, for both rounds alike. */
function modelOf(sums: ArrayLike<number>, addends: number): Uint8Array {
  const model = new Float32Array(sums.length);
  for (let i = 0; i < model.length; i++) model[i] = sums[i]! / addends;
  return new Uint8Array(model.buffer);
}

const handlers = {
  async start({ folder }: { folder: string }): Promise<{ address: string; credentials: Credentials }> {
    await loadCrypto();
    const store = new ObjectStore(new Settings(folder, '127.0.0.1:0', ''));
    await store.open();
    const credentials = await issueCredentials();
    const port = new UploadPort(store, credentials);
    running = { store, port };
    return { address: await port.listen(), credentials };
  },

  /** Resident memory of the started coordinator; peaks are counted from here on. */
  idleMemory(): number {
    const idle = settledMemory();
    restartPeakMemory();
    return idle;
  },

  peakMemory: (): number => peakMemory(),

  receivedBytes: (): number => started().port.receivedBytes(),

  cpuMs(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },

  /** R7 and what is published of it. */
  async open({ parameters, shape, uploads, shares }: OpeningOrder): Promise<Opening> {
    const { store } = started();
    const coefficients = coefficientCount(shape, parameters);
    const addends = uploads.length;
    const summed = await timed(() => {
      const checked = function* (): Generator<Uint8Array> {
        for (const upload of uploads) yield readSigned(upload, (bytes) => ciphertextBlockDigests(bytes, coefficients, parameters));
      };
      return sumCiphertexts(checked(), coefficients, parameters);
    });
    const combined = await timed(() => {
      const received = new Map(
        shares.map((share, position) => [position, readSigned(share, (bytes) => shareBlockDigests(bytes, coefficients, parameters))]),
      );
      const opened = combine({ parameters, sum: summed.value, coefficients, addends, shares: received });
      if (!opened.ok) throw new Error(`The sum did not open: ${opened.reason}.`);
      return { words: opened.coefficients, ...unpackSum(shape, parameters, opened.coefficients, addends) };
    });
    const { words, packed } = combined.value;
    const published = await timed(async () => {
      const bytes = sumBytes(words);
      await store.put(modelOf(packed, addends));
      return { sumObject: await store.put(bytes), sumBytes: bytes.length };
    });
    return { sum: summed.sample, combine: combined.sample, publish: published.sample, ...published.value };
  },

  /** The plaintext round: float32 updates are added up, divided and published. */
  async openPlaintext({ uploads }: { uploads: SignedObject[] }): Promise<{ sum: Sample; publish: Sample }> {
    const { store } = started();
    const summed = await timed(() => {
      let total: Float32Array | undefined;
      for (const { object } of uploads) {
        const bytes = store.read(object);
        const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
        total ??= new Float32Array(values.length);
        for (let i = 0; i < values.length; i++) total[i]! += values[i]!;
      }
      return total ?? new Float32Array();
    });
    const published = await timed(() => store.put(modelOf(summed.value, uploads.length)));
    return { sum: summed.sample, publish: published.sample };
  },

  /** A bare TLS server that reads and drops; it answers one byte after `bytes`. What the same bytes cost without gRPC and without a disk. */
  async takeTls({ bytes, credentials }: { bytes: number; credentials: Credentials }): Promise<number> {
    const { certificate, privateKey } = credentials.server;
    const server = createServer({ cert: certificate, key: privateKey }, (socket) => {
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received >= bytes) socket.end('.');
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => server.close());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
};

export type CoordinatorRole = typeof handlers;

serveRole(handlers);
