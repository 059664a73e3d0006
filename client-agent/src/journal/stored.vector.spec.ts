import { describe, expect, it } from 'vitest';
import { decodeSalt, decodeVector, encodeSalt, encodeVector, NO_BATCHES, NO_DATA_REPORT } from './stored.vector.js';

const vector = {
  samples: 1200,
  batches: 16,
  dataReport: '7d'.repeat(32),
  coefficients: BigUint64Array.of(1n, 2n),
  salt: new Uint8Array(32).fill(9),
  backend: 'cpu' as const,
  saturated: 0,
};

describe('a stored vector', () => {
  it('comes back as it was', () => expect(decodeVector(new Uint8Array(encodeVector(vector)))).toEqual(vector));

  it('of an agent from before batches and data reports says that there are none', () => {
    const { batches: _batches, dataReport: _dataReport, ...old } = vector;
    const bytes = new Uint8Array(encodeVector(old as typeof vector));
    expect(Buffer.from(bytes).includes('batches')).toBe(false);
    expect(decodeVector(bytes)).toEqual({ ...vector, batches: NO_BATCHES, dataReport: NO_DATA_REPORT });
  });
});

describe('a stored salt', () => {
  const { salt, samples, batches, dataReport } = vector;

  it('keeps what it hides', () => expect(decodeSalt(encodeSalt(vector))).toEqual({ salt, facts: { samples, batches, dataReport } }));

  it('of an older agent stands alone', () => expect(decodeSalt(salt)).toEqual({ salt, facts: undefined }));
});
