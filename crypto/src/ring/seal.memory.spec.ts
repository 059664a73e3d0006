import { beforeAll, describe, expect, it, vi } from 'vitest';
import { encryptVector } from '../encryption/vector.encryption.js';
import { K, plannedFor } from '../combination/scripted.committee.fixture.js';
import { decryptionShare } from '../shares/decryption.share.js';
import { parameterSet } from './parameter.set.js';
import { bytesFromWords } from './ring.element.js';
import { uniformElement } from '../sampling/uniform.sampler.js';
import { loadedSeal, loadSeal } from './seal.module.js';

/* SEAL's memory belongs to WebAssembly, where no collector looks: what is not freed stays, and an agent runs for weeks. */

interface Memory {
  readonly buffer: ArrayBuffer;
}
interface Instantiated {
  instance: { exports: Record<string, unknown> };
}
interface WebAssemblyApi {
  Memory: new (...input: never[]) => Memory;
  instantiate(...input: unknown[]): Promise<Instantiated>;
}

let memory: Memory | undefined;

beforeAll(async () => {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const instantiate = WebAssembly.instantiate.bind(WebAssembly);
  const spy = vi.spyOn(WebAssembly, 'instantiate').mockImplementation(async (...input) => {
    const made = await instantiate(...input);
    memory ??= Object.values(made.instance.exports).find((value): value is Memory => value instanceof WebAssembly.Memory);
    return made;
  });
  await loadSeal();
  spy.mockRestore();
});

describe('a thousand blocks', () => {
  it('leave no memory behind, in SEAL or outside', () => {
    const parameters = plannedFor(5, 4);
    const set = parameterSet(parameters.set);
    const secretKey = bytesFromWords(uniformElement(set));
    const input = { k: K, setDigest: K, kind: 'update', holder: 'a', holderIndex: 0, keyShareSum: secretKey, noiseKey: new Uint8Array(32) };
    const coefficients = new BigUint64Array(2 * set.degree).fill(3n);
    const round = (): void => {
      encryptVector({ parameters, k: K, secretKey, coefficients });
      decryptionShare({ ...input, parameters, coefficients: coefficients.length });
    };
    for (let times = 0; times < 20; times++) round();
    const before = { heap: memory!.buffer.byteLength, arrays: process.memoryUsage().arrayBuffers };
    for (let times = 0; times < 500; times++) round();
    // A key that is not freed takes 24 kB each time; SEAL's pools would have grown by 24 MB.
    expect(memory!.buffer.byteLength).toBe(before.heap);
    expect(process.memoryUsage().arrayBuffers - before.arrays).toBeLessThan(200e6);
  });

  it('are seen: a key that is not freed makes SEAL grow', () => {
    const before = memory!.buffer.byteLength;
    const { Plaintext } = loadedSeal();
    const kept = Array.from({ length: 3000 }, () => new Plaintext(3 * 1024, 3 * 1024));
    expect(memory!.buffer.byteLength).toBeGreaterThan(before);
    for (const plaintext of kept) plaintext.delete();
  });
});
