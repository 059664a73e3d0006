import { once } from 'node:events';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { coefficientCount, loadCrypto, unpackSum } from '@coferment/crypto';
import { SumOpener } from '../../../../coordinator/dist/aggregation/sum.opener.js';
import { FolderStore } from '../../../../coordinator/dist/objects/folder.store.js';
import type { ObjectStore } from '../../../../coordinator/dist/objects/object.store.js';
import { type Sample, timed } from '../measure/sample.statistics.js';
import { type Credentials, issueCredentials } from './consortium.certificates.js';
import { type OpeningOrder, openBlockByBlock } from './block.opening.js';
import { peakMemory, restartPeakMemory, settledMemory } from './process.memory.js';
import { serveRole } from './role.channel.js';
import type { SignedObject } from './signed.object.js';
import type { Due } from './upload.intake.js';
import { UploadPort } from './upload.port.js';

export interface Opening {
  open: Sample;
  publish: Sample;
  /** SHA-256 of the published sum, which is its name in the store. */
  sumObject: string;
  sumBytes: number;
  /** Peak of memory, in MB, until the sum was in its file: what follows reads its values and makes a model of them. */
  summingPeak: number;
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

/** Where a sum is written until it has a digest. */
const DRAFT = 'bench-sum';
const opener = new SumOpener();

function storedSum({ parameters, shape, uploads, shares }: OpeningOrder, target: string): Parameters<SumOpener['open']>[0] {
  const file = ({ object, merkleRoot }: SignedObject) => ({ what: 'an object', path: started().store.pathOf(object), merkleRoot });
  return {
    parameters,
    coefficients: coefficientCount(shape, parameters),
    uploads: uploads.map(file),
    shares: new Map(shares.map(file).entries()),
    target,
  };
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
    const store = new FolderStore({ folder, listen: '127.0.0.1:0' });
    await store.open();
    const credentials = await issueCredentials();
    const port = new UploadPort(store, credentials);
    running = { store, port };
    return { address: await port.listen(), credentials };
  },

  expect: (due: Due): void => started().port.expect(due),

  /** Resident memory of the started coordinator; peaks are counted from here on. */
  idleMemory(): number {
    const idle = settledMemory();
    restartPeakMemory();
    return idle;
  },

  /** The peak since the last call, or since the idle moment; the next one counts from here. */
  restartPeakMemory(): number {
    const peak = peakMemory();
    restartPeakMemory();
    return peak;
  },

  receivedBytes: (): number => started().port.receivedBytes(),

  cpuMs(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },

  /** R7 as the coordinator does it, on all processors, and what is published of it. */
  async open(order: OpeningOrder): Promise<Opening> {
    const { parameters, shape, uploads } = order;
    const { store } = started();
    const target = store.draftPath(DRAFT);
    const opened = await timed(async () => {
      const answer = await opener.open(storedSum(order, target));
      if (!answer.ok) throw new Error(`The sum did not open: ${answer.reason}.`);
      const summingPeak = peakMemory();
      const bytes = await readFile(target);
      // A small file may come in a shared buffer, where words are not aligned.
      const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
      const words = new BigUint64Array(aligned.buffer, aligned.byteOffset, aligned.length / 8);
      return { packed: unpackSum(shape, parameters, words, uploads.length).packed, summingPeak };
    });
    const published = await timed(async () => {
      await store.put(modelOf(opened.value.packed, uploads.length));
      return store.adopt(DRAFT);
    });
    const { digest, size } = published.value;
    return { open: opened.sample, publish: published.sample, sumObject: digest, sumBytes: size, summingPeak: opened.value.summingPeak };
  },

  /** The same on one thread, with its two steps apart. */
  openOnOneThread(order: OpeningOrder): { sum: Sample; combine: Sample } {
    const { sum, combine } = openBlockByBlock(order, (object) => started().store.pathOf(object));
    return { sum, combine };
  },

  /** The plaintext round: float32 updates are added up, divided and published. */
  async openPlaintext({ uploads }: { uploads: SignedObject[] }): Promise<{ sum: Sample; publish: Sample }> {
    const { store } = started();
    const summed = await timed(async () => {
      let total: Float32Array | undefined;
      for (const { object } of uploads) {
        const bytes = await store.read(object);
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
        // The sender closes: an end from here would take away the `drain` it may still wait for.
        if (received >= bytes) socket.write('.');
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => server.close());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  },
};

export type CoordinatorRole = typeof handlers;

serveRole(handlers);
