import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { connect } from 'node:tls';
import {
  type AggregationParameters,
  CryptoPool,
  type Dealing,
  type DecryptionShareInput,
  type EncryptionInput,
  type VectorShape,
  checkDealing,
  ciphertextBlockDigests,
  coefficientCount,
  blockCount,
  deal,
  decryptionShare,
  digest,
  encryptVector,
  loadCrypto,
  merkleRoot,
  packVector,
  parameterSet,
  shareBlockDigests,
  sumKeyShares,
  unpackSum,
  xof,
} from '@coferment/crypto';
import { ObjectPurpose } from '@coferment/proto';
import { publicElement } from '../../../../crypto/dist/sampling/uniform.sampler.js';
import { type Sample, timed } from '../measure/sample.statistics.js';
import { type Credentials, SERVER_NAME } from './consortium.certificates.js';
import { serveRole } from './role.channel.js';
import type { SignedObject } from './signed.object.js';
import { type ObjectToSend, SiteUploads, objectOf } from './site.uploads.js';

export interface RoundSetup {
  parameters: AggregationParameters;
  shape: VectorShape;
  sites: number;
  /** Sites with a key, a vector and an upload of their own; the others repeat them in turn. */
  distinct: number;
}

export type Sent = 'plaintext' | 'ciphertext' | 'share';

interface Round extends RoundSetup {
  dealings: Dealing[];
  /** [holder][dealer] → S_i(α_j) */
  keyShares: Uint8Array[][];
  k: string;
  ciphertexts: (ObjectToSend | undefined)[];
  shares: (ObjectToSend | undefined)[];
  plaintext: ObjectToSend | undefined;
}

const SET_DIGEST = digest('bench-set', 'all');
/** Exact integers behind the update: large enough that their digits are seen. */
const EXACT = 123_456_789;
const uploads = new Map<string, SiteUploads>();
/** As many threads as an agent takes on this machine. */
const pool = new CryptoPool();
let current: Round | undefined;

function round(): Round {
  if (current === undefined) throw new Error('No round was set up.');
  return current;
}

/** The quantised vector of a site: uniform, as wide as the budget allows, the same at every call. */
function valuesOf(index: number): Uint32Array {
  const { shape, parameters } = round();
  const bytes = xof('bench-values', index).read(4 * shape.packed);
  const values = new Uint32Array(bytes.buffer, bytes.byteOffset, shape.packed);
  const mask = 2 ** parameters.valueBits - 1;
  for (let i = 0; i < values.length; i++) values[i]! &= mask;
  return values;
}

const exactOf = (index: number): Float64Array => Float64Array.from({ length: round().shape.exact }, () => EXACT + index);

/** A function, because packing is part of what is timed; drawing the values is not. */
function encryptionOf(index: number, attempt: number): () => EncryptionInput {
  const { parameters, shape, dealings } = round();
  const [values, exact] = [valuesOf(index), exactOf(index)];
  const k = digest('bench-k', attempt);
  return () => ({ parameters, k, secretKey: dealings[index]!.secretKey, coefficients: packVector(shape, parameters, values, exact) });
}

function shareOf(position: number): DecryptionShareInput {
  const { parameters, shape, sites, distinct, keyShares, k } = round();
  return {
    parameters,
    k,
    setDigest: SET_DIGEST,
    kind: 'update',
    holder: `site-${position}`,
    holderIndex: position,
    keyShareSum: sumKeyShares(Array.from({ length: sites }, (_, site) => keyShares[position]![site % distinct]!)),
    noiseKey: xof('bench-noise', position).read(32),
    coefficients: coefficientCount(shape, parameters),
  };
}

function objectsOf(kind: Sent, count: number): ObjectToSend[] {
  const { plaintext, ciphertexts, shares, distinct } = round();
  return Array.from({ length: count }, (_, site) => {
    const object = kind === 'plaintext' ? plaintext : kind === 'ciphertext' ? ciphertexts[site % distinct] : shares[site];
    if (object === undefined) throw new Error(`There is no ${kind} of site ${site} yet.`);
    return object;
  });
}

function* chunksOf(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(256 * 1024, 0x5a);
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk.subarray(0, bytes - sent);
}

const handlers = {
  load: (): Promise<void> => loadCrypto(),

  /** Keys of all distinct sites, dealt and checked by every holder. Not timed here. */
  setUp(setup: RoundSetup): void {
    const { parameters, distinct } = setup;
    const e0 = digest('bench-epoch');
    const dealings = Array.from({ length: distinct }, (_, site) => deal({ e0, dealer: `site-${site}`, parameters }));
    const keyShares = Array.from({ length: parameters.keyHolders }, (_, holderIndex) =>
      dealings.map(({ commitments, masked, privateShares }, site) =>
        checkDealing({
          e0,
          dealer: `site-${site}`,
          holderIndex,
          parameters,
          commitments,
          masked,
          privateShare: privateShares[holderIndex]!,
        }),
      ),
    );
    current = { ...setup, dealings, keyShares, k: '', ciphertexts: [], shares: [], plaintext: undefined };
  },

  /** Public randomness of every block, which encryption and shares draw again. */
  async expand({ attempt }: { attempt: number }): Promise<Sample> {
    const { parameters, shape } = round();
    const set = parameterSet(parameters.set);
    const blocks = blockCount(shape, parameters);
    const k = digest('bench-k', attempt);
    const { sample } = await timed(() => {
      for (let block = 0; block < blocks; block++) publicElement(k, block, set);
    });
    return sample;
  },

  /** Packs and encrypts the vector of a distinct site on one thread. */
  async encrypt({ index, attempt }: { index: number; attempt: number }): Promise<Sample> {
    const state = round();
    const input = encryptionOf(index, attempt);
    const { sample, value } = await timed(() => encryptVector(input()));
    state.k = digest('bench-k', attempt);
    state.ciphertexts[index] = objectOf(value, ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT);
    return sample;
  },

  /** The same as an agent does it, on all processors. */
  async encryptInPool({ attempt }: { attempt: number }): Promise<Sample> {
    const input = encryptionOf(0, attempt);
    return (await timed(() => pool.encryptVector(input()))).sample;
  },

  /** One holder's share for the sum over all sites, their keys' shares added up first, on one thread. */
  async share({ position }: { position: number }): Promise<Sample> {
    const { sample, value } = await timed(() => decryptionShare(shareOf(position)));
    round().shares[position] = objectOf(value, ObjectPurpose.OBJECT_PURPOSE_DECRYPTION_SHARE);
    return sample;
  },

  /** The same as an agent does it, on all processors. */
  async shareInPool({ position }: { position: number }): Promise<Sample> {
    return (await timed(() => pool.decryptionShare(shareOf(position)))).sample;
  },

  /** A float32 update of as many parameters; all sites send the same one. It goes as an object without blocks. */
  drawPlaintext(): void {
    const { shape } = round();
    const values = Float32Array.from(valuesOf(0), (value) => value / 2 ** 16 - 0.25);
    round().plaintext = objectOf(new Uint8Array(values.buffer, 0, 4 * shape.packed), ObjectPurpose.OBJECT_PURPOSE_DEALING_MASKED);
  },

  async connect({
    to,
    address,
    credentials,
    sites,
  }: {
    to: string;
    address: string;
    credentials: Credentials;
    sites: number;
  }): Promise<void> {
    uploads.get(to)?.close();
    const opened = new SiteUploads(address, credentials);
    uploads.set(to, opened);
    await opened.open(sites);
  },

  /** The first `count` sites (or holders) send their object of a kind, all at once. */
  async send({ to, kind, count }: { to: string; kind: Sent; count: number }): Promise<Sample> {
    const objects = objectsOf(kind, count);
    const { sample } = await timed(() => uploads.get(to)!.send(objects));
    return sample;
  },

  /** Statements about the uploads of all sites and the shares of all holders. */
  signed({ kind }: { kind: Sent }): SignedObject[] {
    const { parameters, shape, sites } = round();
    const coefficients = coefficientCount(shape, parameters);
    const leaves = kind === 'share' ? shareBlockDigests : ciphertextBlockDigests;
    const roots = new Map<string, string>();
    return objectsOf(kind, kind === 'share' ? parameters.keyHolders : sites).map(({ digest: object, bytes }) => {
      const known = roots.get(object);
      const root = known ?? (kind === 'plaintext' ? '' : merkleRoot(leaves(bytes, coefficients, parameters)));
      roots.set(object, root);
      return { object, merkleRoot: root, bytes: bytes.length };
    });
  },

  /** Throws unless the published sum is exactly the sum of what the sites encrypted. */
  verify({ sumFile }: { sumFile: string }): void {
    const { parameters, shape, sites, distinct } = round();
    const bytes = readFileSync(sumFile);
    const words = new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const { packed, exact } = unpackSum(shape, parameters, words, sites);
    let expectedExact = 0;
    for (let index = 0; index < distinct; index++) {
      const times = Math.ceil((sites - index) / distinct);
      valuesOf(index).forEach((value, i) => {
        packed[i]! -= times * value;
      });
      expectedExact += times * (EXACT + index);
    }
    if (packed.some((rest) => rest !== 0) || exact.some((sum) => sum !== BigInt(expectedExact)))
      throw new Error('The opened sum is not the sum of the encrypted vectors: no figure of this run means anything.');
  },

  /** Sends `bytes` bytes over one bare TLS connection, until the other side has read them all. */
  async pushTls({ port, bytes, credentials }: { port: number; bytes: number; credentials: Credentials }): Promise<Sample> {
    const { facts } = credentials;
    const socket = connect({ port, host: '127.0.0.1', servername: SERVER_NAME, ca: facts.authority });
    const closed = once(socket, 'close').then(() => {
      throw new Error(`The TLS connection to port ${port} closed before the other side had read all ${bytes} bytes.`);
    });
    closed.catch(() => {});
    const orClosed = <T>(wait: Promise<T>): Promise<T> => Promise.race([wait, closed]);
    await orClosed(once(socket, 'secureConnect'));
    const { sample } = await timed(async () => {
      const answer = once(socket, 'data');
      // Where sending fails first, nobody looks at the answer.
      answer.catch(() => {});
      await orClosed(pipeline(chunksOf(bytes), socket, { end: false }));
      await orClosed(answer);
    });
    socket.destroy();
    return sample;
  },

  disconnect(): void {
    for (const opened of uploads.values()) opened.close();
    uploads.clear();
    current = undefined;
  },
};

export type MemberRole = typeof handlers;

serveRole(handlers);
