import { describe, expect, it } from 'vitest';
import { LedgerError } from '../errors/index.js';
import { appendSignatures, cosign, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { formatReceipt, parseReceipt, verifyReceipt } from './index.js';

const seed = Buffer.alloc(32, 1);
const origin = 'ledger.example/a';
const key = verifierKey('log', origin, publicKeyFromSeed(seed));
const witness = { name: 'site-b.example', seed: Buffer.alloc(32, 2) };
const witnessKey = verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed));
const entries = Array.from({ length: 11 }, (_, index) => Buffer.from(`entry ${index}`));
const tree = new MerkleTree(entries.map(leafHash));
const signed = signCheckpoint({ origin, size: 11n, root: tree.root() }, seed);
const text = signed.slice(0, signed.indexOf('\n\n') + 1);
const checkpoint = appendSignatures(signed, [cosign(text, 1_700_000_000n, witness)]);
const receipt = { index: 6n, proof: tree.inclusionProof(6n), checkpoint };

describe('a receipt', () => {
  it('survives the way through its text and proves its entry', () => {
    const written = formatReceipt(receipt);
    expect(written.split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 6']);
    expect(parseReceipt(written)).toEqual(receipt);
    const opened = verifyReceipt(parseReceipt(written), entries[6]!, [key, witnessKey]);
    expect(opened.note.verifiedBy).toEqual([key, witnessKey]);
    expect(opened.size).toBe(11n);
  });

  it('of the only entry of a log has no hashes', () => {
    const only = new MerkleTree([leafHash(entries[0]!)]);
    const written = formatReceipt({ index: 0n, proof: [], checkpoint: signCheckpoint({ origin, size: 1n, root: only.root() }, seed) });
    expect(verifyReceipt(parseReceipt(written), entries[0]!, [key]).size).toBe(1n);
  });

  it('ignores extra data, which nobody has signed', () => {
    const written = formatReceipt(receipt).replace('\nindex', '\nextra aGVsbG8=\nindex');
    expect(parseReceipt(written)).toEqual(receipt);
  });

  it('does not prove another entry, another index or a changed checkpoint', () => {
    expect(() => verifyReceipt(receipt, entries[5]!, [key])).toThrow('does not put this entry at index 6');
    expect(() => verifyReceipt({ ...receipt, index: 7n }, entries[6]!, [key])).toThrow('index 7');
    expect(() => verifyReceipt({ ...receipt, checkpoint: checkpoint.replace('\n11\n', '\n12\n') }, entries[6]!, [key])).toThrow(
      'does not verify',
    );
    expect(() => verifyReceipt(receipt, entries[6]!, [witnessKey])).toThrow(LedgerError);
  });

  const written = formatReceipt(receipt);
  it.each([
    ['nothing', ''],
    ['another header', written.replace('@v1', '@v2')],
    ['no index', written.replace('index 6\n', '')],
    ['an index with a leading zero', written.replace('index 6', 'index 06')],
    ['a negative index', written.replace('index 6', 'index -6')],
    ['an index beyond 64 bits', written.replace('index 6', 'index 18446744073709551616')],
    ['a hash that is too short', written.replace(/\n[^\n]{44}\n/, '\nAAAA\n')],
    ['extra data that is not base64', written.replace('\nindex', '\nextra *\nindex')],
    ['no checkpoint', written.slice(0, written.indexOf('\n\n'))],
    ['too many hashes', written.replace('index 6\n', `index 6\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(65)}`)],
  ])('is refused with %s', (_, text_) => {
    expect(() => parseReceipt(text_)).toThrow('this receipt does not hold');
  });
});
