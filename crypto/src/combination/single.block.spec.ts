import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ciphertextBlockDigests, ciphertextBlockSpan } from '../encryption/vector.encryption.js';
import type { BlockSpan } from '../packing/block.layout.js';
import { loadSeal } from '../ring/seal.module.js';
import { shareBlockDigests, shareBlockSpan } from '../shares/decryption.share.js';
import { sumCiphertexts } from './ciphertext.sum.js';
import { plannedFor, scriptedCommittee, type ScriptedCommittee } from './scripted.committee.fixture.js';
import { combine } from './share.combination.js';

/** Two whole blocks and one cut after 301 coefficients: at 68 bits each, no multiple of eight bits. */
const COEFFICIENTS = 2 * 1024 + 301;
let five: ScriptedCommittee;

beforeAll(async () => {
  await loadSeal();
  five = scriptedCommittee(plannedFor(5, 4), COEFFICIENTS);
});

const cut = (bytes: Uint8Array, { offset, length }: BlockSpan) => bytes.subarray(offset, offset + length);
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

describe('one block by itself', () => {
  it.each([0, 1, 2])('%i opens to the same coefficients as in the whole vector', (block) => {
    const { parameters, uploads, shares, expected } = five;
    const upload = ciphertextBlockSpan(block, COEFFICIENTS, parameters);
    const share = shareBlockSpan(block, COEFFICIENTS, parameters);
    const { coefficients } = upload;
    const sum = sumCiphertexts(
      uploads.map((bytes) => cut(bytes, upload)),
      coefficients,
      parameters,
    );
    const cuts = new Map([...shares].map(([holder, bytes]) => [holder, cut(bytes, share)]));
    const opened = combine({ parameters, sum, coefficients, addends: uploads.length, shares: cuts });
    expect(opened).toEqual({ ok: true, coefficients: expected.slice(block * 1024, block * 1024 + coefficients) });
  });

  it('lies where the digests of the whole object say', () => {
    const { parameters, uploads, shares } = five;
    const ofUpload = ciphertextBlockDigests(uploads[1]!, COEFFICIENTS, parameters);
    const ofShare = shareBlockDigests(shares.get(1)!, COEFFICIENTS, parameters);
    for (const block of [0, 1, 2]) {
      expect(sha256(cut(uploads[1]!, ciphertextBlockSpan(block, COEFFICIENTS, parameters)))).toEqual(ofUpload[block]);
      expect(sha256(cut(shares.get(1)!, shareBlockSpan(block, COEFFICIENTS, parameters)))).toEqual(ofShare[block]);
    }
    const last = ciphertextBlockSpan(2, COEFFICIENTS, parameters);
    expect(last.offset + last.length).toBe(uploads[0]!.length);
  });

  it.each([-1, 3, 0.5, Number.NaN])('%d is refused: there is none', (block) => {
    const refused = expect.objectContaining({ code: 'out-of-range' }) as Error;
    expect(() => ciphertextBlockSpan(block, COEFFICIENTS, five.parameters)).toThrow(refused);
    expect(() => shareBlockSpan(block, COEFFICIENTS, five.parameters)).toThrow(refused);
  });
});
