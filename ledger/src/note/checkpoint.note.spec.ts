import { describe, expect, it } from 'vitest';
import { LedgerError } from '../errors/index.js';
import {
  appendSignatures,
  cosign,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  publicKeyFromSeed,
  signCheckpoint,
  signNote,
  verifierKey,
} from './index.js';

const seed = Buffer.alloc(32, 1);
const origin = 'ledger.consortium.example/fermentation-a';
const key = verifierKey('log', origin, publicKeyFromSeed(seed));
const root = Buffer.alloc(32, 9);
const checkpoint = { origin, size: 20_852_163n, root: new Uint8Array(root) };
const base64 = root.toString('base64');

describe('a checkpoint', () => {
  it('is three lines, signed under its origin', () => {
    expect(formatCheckpoint(checkpoint)).toBe(`${origin}\n20852163\n${base64}\n`);
    const opened = openCheckpoint(signCheckpoint(checkpoint, seed), [key]);
    expect(opened).toMatchObject(checkpoint);
    expect(opened.note.verifiedBy).toEqual([key]);
  });

  it.each([0n, 1n, (1n << 64n) - 1n])('can be of size %s', (size) => {
    expect(parseCheckpoint(formatCheckpoint({ ...checkpoint, size })).size).toBe(size);
  });

  it.each([
    ['nothing', ''],
    ['two lines', `${origin}\n5\n`],
    ['an extension line', `${origin}\n5\n${base64}\nextension\n`],
    ['no last newline', `${origin}\n5\n${base64}`],
    ['an empty origin', `\n5\n${base64}\n`],
    ['a space in the origin', `two words\n5\n${base64}\n`],
    ['a plus in the origin', `a+b\n5\n${base64}\n`],
    ['a leading zero', `${origin}\n05\n${base64}\n`],
    ['a sign', `${origin}\n+5\n${base64}\n`],
    ['a hexadecimal size', `${origin}\n0x5\n${base64}\n`],
    ['no size', `${origin}\n\n${base64}\n`],
    ['a size of 2^64', `${origin}\n18446744073709551616\n${base64}\n`],
    ['a short root', `${origin}\n5\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root in hex', `${origin}\n5\n${root.toString('hex')}\n`],
    ['a root without padding', `${origin}\n5\n${base64.replace('=', '')}\n`],
  ])('with %s is refused', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(LedgerError);
  });

  it('is never written with an origin or size that could not be read', () => {
    expect(() => formatCheckpoint({ ...checkpoint, origin: 'a b' })).toThrow('cannot be an origin');
    expect(() => formatCheckpoint({ ...checkpoint, size: -1n })).toThrow('-1 is not a tree size');
    expect(() => formatCheckpoint({ ...checkpoint, root: new Uint8Array(3) })).toThrow('3 bytes');
  });

  it('needs the signature of its own log: another log, or witnesses alone, do not make one', () => {
    const other = { name: 'other.example/log', seed: Buffer.alloc(32, 2) };
    const otherKey = verifierKey('log', other.name, publicKeyFromSeed(other.seed));
    const witness = { name: 'w.example', seed: Buffer.alloc(32, 3) };
    const witnessKey = verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed));
    const text = formatCheckpoint(checkpoint);
    const note = appendSignatures(signNote(text, other), [cosign(text, 1n, witness)]);
    expect(() => openCheckpoint(note, [otherKey, witnessKey, key])).toThrow('not signed by a known key of that log');
  });
});
