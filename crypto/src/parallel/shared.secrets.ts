import type { BlockWork } from './block.task.js';

/**
 * The same work with everything secret in it (keys and noise keys, and the values of the vector) in memory that all threads share: one copy instead of one
 * for each message and each thread, and this one can be overwritten when they are done.
 */
export function shareSecrets(work: BlockWork): { work: BlockWork; erase(): void } {
  const copies: (Uint8Array | BigUint64Array)[] = [];
  const share = (bytes: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
    copy.set(bytes);
    copies.push(copy);
    return copy;
  };
  const shareWords = (words: BigUint64Array): BigUint64Array => {
    const copy = share(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    return new BigUint64Array(copy.buffer);
  };
  const erase = () => {
    for (const copy of copies) new Uint8Array(copy.buffer).fill(0);
  };
  switch (work.kind) {
    case 'encrypt': {
      const { secretKey, coefficients } = work.input;
      return { work: { ...work, input: { ...work.input, secretKey: share(secretKey), coefficients: shareWords(coefficients) } }, erase };
    }
    case 'share': {
      const { keyShareSum, noiseKey } = work.input;
      return { work: { ...work, input: { ...work.input, keyShareSum: share(keyShareSum), noiseKey: share(noiseKey) } }, erase };
    }
  }
}
