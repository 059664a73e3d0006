import { describe, expect, it } from 'vitest';
import { MerkleTree, leafHash } from '../tree/index.js';
import { verifyConsistency, verifyInclusion } from './index.js';

const LARGEST = 256;
/** All of it takes half a minute with SHA-256. By default small trees are done whole and larger ones sampled; `every-flip.spec` leaves out none, with another hash. */
const EVERY_FLIP = process.env['LEDGER_FULL'] === '1';
const FULL_MS = 300_000;
const flipsBits = (size: number, position: number) => EVERY_FLIP || size <= 24 || (size * 7 + position) % 61 === 0;

const hashes = Array.from({ length: LARGEST }, (_, index) => leafHash(Uint8Array.of(index)));
const tree = new MerkleTree(hashes);

/** Each proof with one bit of one hash flipped, then with a hash too few and a hash too many. */
function* damaged(proof: readonly Uint8Array[], seed: number): Generator<Uint8Array[]> {
  for (const [position, hash] of proof.entries()) {
    const bit = (seed * 31 + position * 97) % 256;
    const changed = Uint8Array.from(hash);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    yield proof.with(position, changed);
  }
  if (proof.length > 0) yield proof.slice(0, -1);
  yield [...proof, hashes[seed % LARGEST]!];
  yield [hashes[seed % LARGEST]!, ...proof];
}

describe('every tree of 1 to 256 entries', () => {
  it(
    'proves each entry, and no changed proof',
    () => {
      for (let size = 1; size <= LARGEST; size++) {
        const root = tree.root(BigInt(size));
        for (let index = 0; index < size; index++) {
          const claim = { leafHash: hashes[index]!, index: BigInt(index), size: BigInt(size), root };
          const proof = tree.inclusionProof(claim.index, claim.size);
          if (!verifyInclusion({ ...claim, proof })) expect.fail(`entry ${index} of ${size}`);
          if (!flipsBits(size, index)) continue;
          for (const wrong of damaged(proof, size + index)) {
            if (verifyInclusion({ ...claim, proof: wrong })) expect.fail(`changed proof of entry ${index} of ${size} was accepted`);
          }
          if (verifyInclusion({ ...claim, index: claim.index + 1n, proof }))
            expect.fail(`entry ${index} of ${size} was accepted at the next index`);
          if (verifyInclusion({ ...claim, leafHash: hashes[(index + 1) % LARGEST]!, proof }))
            expect.fail(`another entry than ${index} of ${size} was accepted`);
        }
      }
    },
    FULL_MS,
  );

  it(
    'proves that it extends each older tree, and no changed proof',
    () => {
      for (let size = 1; size <= LARGEST; size++) {
        const newerRoot = tree.root(BigInt(size));
        for (let older = 1; older <= size; older++) {
          const claim = { olderSize: BigInt(older), olderRoot: tree.root(BigInt(older)), newerSize: BigInt(size), newerRoot };
          const proof = tree.consistencyProof(claim.olderSize, claim.newerSize);
          if (!verifyConsistency({ ...claim, proof })) expect.fail(`${older} to ${size}`);
          if (!flipsBits(size, older)) continue;
          for (const wrong of damaged(proof, size + older)) {
            if (verifyConsistency({ ...claim, proof: wrong })) expect.fail(`changed proof from ${older} to ${size} was accepted`);
          }
          const forged = hashes[older % LARGEST]!;
          if (older > 1 && verifyConsistency({ ...claim, olderRoot: forged, proof })) expect.fail(`forged older root ${older} to ${size}`);
          if (verifyConsistency({ ...claim, newerRoot: forged, proof }) && size > 1) expect.fail(`forged newer root ${older} to ${size}`);
        }
      }
    },
    FULL_MS,
  );
});

describe('claims that cannot hold', () => {
  const root = tree.root(8n);
  const inclusion = { leafHash: hashes[2]!, index: 2n, size: 8n, root, proof: tree.inclusionProof(2n, 8n) };
  const consistency = { olderSize: 3n, olderRoot: tree.root(3n), newerSize: 8n, newerRoot: root, proof: tree.consistencyProof(3n, 8n) };

  it('are refused without an exception', () => {
    expect(verifyInclusion(inclusion)).toBe(true);
    expect(verifyConsistency(consistency)).toBe(true);
    expect(verifyInclusion({ ...inclusion, index: -1n })).toBe(false);
    expect(verifyInclusion({ ...inclusion, index: 8n })).toBe(false);
    expect(verifyInclusion({ ...inclusion, size: 0n })).toBe(false);
    expect(verifyInclusion({ ...inclusion, size: 1n << 64n })).toBe(false);
    expect(verifyInclusion({ ...inclusion, size: (1n << 64n) - 1n })).toBe(false);
    expect(verifyInclusion({ ...inclusion, root: root.subarray(1) })).toBe(false);
    expect(verifyInclusion({ ...inclusion, leafHash: new Uint8Array() })).toBe(false);
    expect(verifyInclusion({ ...inclusion, proof: inclusion.proof.map((hash) => hash.subarray(0, 31)) })).toBe(false);
    expect(verifyConsistency({ ...consistency, olderSize: 0n })).toBe(false);
    expect(verifyConsistency({ ...consistency, olderSize: 9n })).toBe(false);
    expect(verifyConsistency({ ...consistency, newerSize: 1n << 64n })).toBe(false);
    expect(verifyConsistency({ ...consistency, olderRoot: new Uint8Array(31) })).toBe(false);
    expect(verifyConsistency({ ...consistency, proof: consistency.proof.with(0, new Uint8Array(33)) })).toBe(false);
    expect(verifyConsistency({ ...consistency, proof: [] })).toBe(false);
  });

  it('refuses two different trees of one size: that is a fork', () => {
    const equal = { olderSize: 8n, olderRoot: root, newerSize: 8n, newerRoot: root, proof: [] };
    expect(verifyConsistency(equal)).toBe(true);
    expect(verifyConsistency({ ...equal, newerRoot: tree.root(9n) })).toBe(false);
    expect(verifyConsistency({ ...equal, proof: [root] })).toBe(false);
  });
});

describe('two members forked by a lying log', () => {
  it('cannot be joined again: no later checkpoint extends both views', () => {
    const honest = new MerkleTree(hashes.slice(0, 20));
    const forked = new MerkleTree(hashes.slice(0, 20).with(13, hashes[99]!));
    const seen = { olderSize: 16n, olderRoot: forked.root(16n), newerSize: 20n, newerRoot: honest.root(20n) };
    expect(verifyConsistency({ ...seen, proof: honest.consistencyProof(16n, 20n) })).toBe(false);
    expect(verifyConsistency({ ...seen, proof: forked.consistencyProof(16n, 20n) })).toBe(false);
  });
});
