import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parameterSet } from '@coferment/crypto';
import { freeing, loadedSeal } from '../../../../crypto/dist/ring/seal.module.js';
import { median, rounded } from '../measure/sample.statistics.js';

/** Larger than any processor's cache, so that memory is what is measured. */
const BYTES = 64 * 2 ** 20;
const RUNS = 7;

/** What this machine can do on one thread, with nothing of Coferment around it. */
export interface HardwareBounds {
  memcpyMegabytesPerSecond: number;
  sha256MegabytesPerSecond: number;
  aesCtrMegabytesPerSecond: number;
  /** 32-bit words added into 64-bit floats that stay in the cache, as sums are: megabytes of words. */
  limbSumMegabytesPerSecond: number;
  /** Written to a file in chunks and flushed to the disk, as every upload is. */
  storedMegabytesPerSecond: number;
  /** SEAL's transform of one element of R_q (all data primes), in place. */
  nttMs: number;
  inverseNttMs: number;
  /** SEAL's own decryption of one ordinary ciphertext: a product, a transform back and the rounding. */
  sealDecryptMs: number;
}

function medianMs(work: () => void, runs = RUNS): number {
  work();
  return median(
    Array.from({ length: runs }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}

const rate = (ms: number, bytes = BYTES): number => rounded(bytes / 1e3 / ms, 3);

function limbSumMs(words: Uint32Array): number {
  const run = 8192;
  const sums = new Float64Array(run);
  return medianMs(() => {
    for (let from = 0; from < words.length; from += run) {
      for (let i = 0; i < run; i++) sums[i]! += words[from + i]!;
    }
  });
}

/** Both polynomials of a ciphertext are transformed in one call; the figure is for one. */
function sealMs(): Pick<HardwareBounds, 'nttMs' | 'inverseNttMs' | 'sealDecryptMs'> {
  const seal = loadedSeal();
  const set = parameterSet('STANDARD');
  const primes = seal.CoeffModulus.Create(set.degree, Int32Array.from(set.coefficientModulusBits));
  const plain = new seal.Modulus(set.plainModulus);
  const parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
  parameters.setPolyModulusDegree(set.degree);
  parameters.setCoeffModulus(primes);
  parameters.setPlainModulus(plain);
  const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
  const evaluator = new seal.Evaluator(context);
  const generator = new seal.KeyGenerator(context);
  const secret = generator.secretKey();
  const key = generator.createPublicKey();
  const encryptor = new seal.Encryptor(context, key);
  const decryptor = new seal.Decryptor(context, secret);
  const message = new seal.Plaintext(set.degree, set.degree);
  const ciphertext = new seal.Ciphertext(context);
  const objects = [primes, plain, parameters, context, evaluator, generator, secret, key, encryptor, decryptor, message, ciphertext];
  return freeing(objects, () => {
    encryptor.encrypt(message, ciphertext);
    const turns = Array.from({ length: 41 }, () => {
      const start = performance.now();
      evaluator.cipherTransformToNttInplace(ciphertext);
      const there = performance.now();
      evaluator.cipherTransformFromNttInplace(ciphertext);
      const back = performance.now();
      decryptor.decrypt(ciphertext, message);
      return { there: (there - start) / 2, back: (back - there) / 2, decrypt: performance.now() - back };
    }).slice(10);
    const of = (step: 'there' | 'back' | 'decrypt'): number => rounded(median(turns.map((turn) => turn[step])), 3);
    return { nttMs: of('there'), inverseNttMs: of('back'), sealDecryptMs: of('decrypt') };
  });
}

/** What the object store does with an upload, bare: chunks written to a file, which is flushed to the disk. */
function storedMs(folder: string, bytes: Buffer): number {
  const path = join(folder, 'flushed');
  const chunk = 256 * 1024;
  try {
    return medianMs(() => {
      const file = openSync(path, 'w');
      for (let from = 0; from < bytes.length; from += chunk) writeSync(file, bytes, from, chunk);
      fsyncSync(file);
      closeSync(file);
    }, 3);
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param folder on the disk that uploads are stored on */
export function measureBounds(folder: string): HardwareBounds {
  const source = randomBytes(BYTES);
  const target = Buffer.alloc(BYTES);
  const cipher = createCipheriv('aes-256-ctr', randomBytes(32), Buffer.alloc(16));
  const zeros = Buffer.alloc(2 ** 18);
  return {
    memcpyMegabytesPerSecond: rate(medianMs(() => void source.copy(target))),
    sha256MegabytesPerSecond: rate(medianMs(() => void createHash('sha256').update(source).digest())),
    // In pieces of the size in which the streams are drawn: the result of one call would be as large as its input.
    aesCtrMegabytesPerSecond: rate(
      medianMs(() => {
        for (let done = 0; done < BYTES; done += zeros.length) cipher.update(zeros);
      }),
    ),
    limbSumMegabytesPerSecond: rate(limbSumMs(new Uint32Array(source.buffer, source.byteOffset, BYTES / 4))),
    storedMegabytesPerSecond: rate(storedMs(folder, source)),
    ...sealMs(),
  };
}
