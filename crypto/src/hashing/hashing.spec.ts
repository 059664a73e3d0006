import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes, sha256Hex } from './bytes.codec.js';
import { merklePath, merkleRoot, verifyMerklePath } from './merkle.tree.js';
import { digest, hash, type HashPart } from './purpose.hash.js';
import { xof } from './stream.xof.js';

describe('hashing malformed input', () => {
  it.each([-1, 1.5, Number.NaN, 2 ** 53, Infinity])('refuses the number %d', (value) => {
    expect(() => hash('p', value)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('refuses negative bigints, lone surrogates and objects', () => {
    for (const part of [-1n, '\ud800', {}, null, undefined, true]) {
      expect(() => hash('p', part as HashPart)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });

  it.each(['0', 'AB', 'zz', '0x', ' 00'])('refuses %j as hexadecimal', (text) => {
    expect(() => hexToBytes(text)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('hash', () => {
  const part: fc.Arbitrary<HashPart> = fc.letrec<{ part: HashPart }>((tie) => ({
    part: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.uint8Array({ maxLength: 4 }),
      fc.bigInt({ min: 0n, max: 300n }),
      fc.array(tie('part'), { maxLength: 3 }) as fc.Arbitrary<HashPart>,
    ),
  })).part;
  const shown = (parts: unknown): string =>
    JSON.stringify(parts, (_, value: unknown) =>
      typeof value === 'bigint' ? { n: value.toString() } : value instanceof Uint8Array ? { b: [...value] } : value,
    );

  it('is injective over purposes and shapes', () => {
    const vector = fc.tuple(fc.constantFrom('a', 'ab', ''), fc.array(part, { maxLength: 3 }));
    fc.assert(
      fc.property(vector, vector, (x, y) => (digest(x[0], ...x[1]) === digest(y[0], ...y[1])) === (shown(x) === shown(y))),
      { numRuns: 300 },
    );
  });

  it('tells apart what a plain concatenation would not', () => {
    const all = [
      digest('p', 'ab', 'c'),
      digest('p', 'a', 'bc'),
      digest('p', ['a', 'bc']),
      digest('p', [['a'], 'bc']),
      digest('p', 'abc'),
      digest('p', Buffer.from('abc')),
      digest('pa', 'bc'),
      digest('p', '1'),
      digest('p', 1),
      digest('p', []),
      digest('p'),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(digest('p', 1)).toBe(digest('p', 1n));
  });

  it('keeps its encoding: known answers', () => {
    expect(digest('example', 'text', 7, Uint8Array.of(1, 2), ['nested', 0n])).toMatchInlineSnapshot(
      `"46bfcd65c6ff3da74d3a37bfdf9c8320e66ca9d5abe75930c7af11f953e6e20d"`,
    );
    expect(sha256Hex(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

describe('xof', () => {
  it('keeps its stream: known answers', () => {
    const stream = xof('example', 'key');
    expect(bytesToHex(stream.read(16))).toMatchInlineSnapshot(`"ae30ccd73bf0da1a94084f10e8c991e3"`);
    expect(stream.uint32()).toMatchInlineSnapshot(`590238389`);
    expect(stream.uniformBelow(10n ** 30n)).toMatchInlineSnapshot(`226884063846359921024725385512n`);
    expect(stream.float53()).toMatchInlineSnapshot(`0.36086339403837286`);
  });

  it('gives the same bytes however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 6 }), (lengths) => {
        const total = lengths.reduce((sum, length) => sum + length, 0);
        const stream = xof('cut');
        const pieces = lengths.map((length) => bytesToHex(stream.read(length)));
        return pieces.join('') === bytesToHex(xof('cut').read(total));
      }),
      { numRuns: 30 },
    );
  });

  it('draws uniformly below a bound that is no power of two', () => {
    const stream = xof('uniform');
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 6000; i++) counts[Number(stream.uniformBelow(6n))]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(stream.uniformBelow(1n)).toBe(0n);
    expect(() => stream.uniformBelow(0n)).toThrow(expect.objectContaining({ code: 'out-of-range' }));
    expect(() => stream.read(-1)).toThrow(expect.objectContaining({ code: 'out-of-range' }));
  });
});

describe('merkle tree', () => {
  const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, index) => hash('leaf', index));

  it('refuses malformed paths without throwing', () => {
    const tree = leaves(5);
    const root = merkleRoot(tree);
    const path = merklePath(tree, 2);
    expect(verifyMerklePath(root, 2, 5, tree[2]!, path)).toBe(true);
    expect(verifyMerklePath(root, 2, 5, tree[2]!, path.slice(1))).toBe(false);
    expect(verifyMerklePath(root, 2, 5, tree[2]!, [...path, path[0]!])).toBe(false);
    expect(verifyMerklePath(root, 2, 5, tree[2]!, ['xx'])).toBe(false);
    expect(verifyMerklePath(root, 2, 5, tree[2]!, undefined as unknown as string[])).toBe(false);
    expect(verifyMerklePath(root, 5, 5, tree[2]!, path)).toBe(false);
    expect(verifyMerklePath(root, -1, 5, tree[2]!, path)).toBe(false);
    expect(verifyMerklePath(root, 2.5, 5, tree[2]!, path)).toBe(false);
    expect(() => merklePath(tree, 5)).toThrow(expect.objectContaining({ code: 'out-of-range' }));
  });

  it('verifies every leaf at its own place only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.nat(), (size, a, b) => {
        const tree = leaves(size);
        const root = merkleRoot(tree);
        const [index, other] = [a % size, b % size];
        const path = merklePath(tree, index);
        return verifyMerklePath(root, other, size, tree[index]!, path) === (index === other);
      }),
      { numRuns: 100 },
    );
  });

  it('has the roots of RFC 6962', () => {
    expect(merkleRoot([])).toBe(sha256Hex(new Uint8Array()));
    expect(merkleRoot([new Uint8Array()])).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    // Test vectors of the Certificate Transparency reference implementation (first eight inputs).
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hexToBytes);
    expect(merkleRoot(inputs)).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
    expect(merkleRoot(inputs.slice(0, 3))).toBe('aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77');
  });
});
