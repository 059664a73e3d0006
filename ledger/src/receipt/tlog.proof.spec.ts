import { describe, expect, it } from 'vitest';
import { LedgerError } from '../errors/index.js';
import { appendSignatures, cosign, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { formatTlogProof, parseEntryProof, parseTlogProof, verifyTlogProof } from './index.js';

const seed = Buffer.alloc(32, 1);
const origin = 'ledger.example/a';
const key = verifierKey('log', origin, publicKeyFromSeed(seed));
const witness = { name: 'site-b.example', seed: Buffer.alloc(32, 2) };
const witnessKey = verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed));
const entries = Array.from({ length: 11 }, (_, index) => new TextEncoder().encode(`entry ${index}`));
const tree = new MerkleTree(entries.map(leafHash));
const signed = signCheckpoint({ origin, size: 11n, root: tree.root() }, seed);
const text = signed.slice(0, signed.indexOf('\n\n') + 1);
const checkpoint = appendSignatures(signed, [cosign(text, 1_700_000_000n, witness)]);
const receipt = { index: 6n, entry: entries[6]!, proof: tree.inclusionProof(6n), checkpoint };

describe('a receipt', () => {
  it('survives the way through its text and proves its entry', () => {
    const written = formatTlogProof(receipt);
    const extra = `extra ${Buffer.from(entries[6]!).toString('base64')}`;
    expect(written.split('\n').slice(0, 3)).toEqual(['c2sp.org/tlog-proof@v1', extra, 'index 6']);
    expect(parseEntryProof(written)).toEqual(receipt);
    const read = parseEntryProof(written);
    const opened = verifyTlogProof(read, read.entry, [key, witnessKey]);
    expect(opened.note.verifiedBy).toEqual([key, witnessKey]);
    expect(opened.size).toBe(11n);
  });

  it('of the only entry of a log has no hashes', () => {
    const only = new MerkleTree([leafHash(entries[0]!)]);
    const checkpointOfOne = signCheckpoint({ origin, size: 1n, root: only.root() }, seed);
    const written = formatTlogProof({ index: 0n, entry: entries[0]!, proof: [], checkpoint: checkpointOfOne });
    expect(verifyTlogProof(parseTlogProof(written), entries[0]!, [key]).size).toBe(1n);
  });

  it('may have other extra data or none, and then does not stand alone', () => {
    const written = formatTlogProof(receipt);
    const other = parseEntryProof(written.replace(/extra .*/, 'extra aGVsbG8='));
    expect(Buffer.from(other.entry).toString()).toBe('hello');
    expect(() => verifyTlogProof(other, other.entry, [key])).toThrow('does not put this entry at index 6');
    const none = written.replace(/extra .*\n/, '');
    expect(parseTlogProof(none).extra).toBeUndefined();
    expect(verifyTlogProof(parseTlogProof(none), entries[6]!, [key]).size).toBe(11n);
    expect(() => parseEntryProof(none)).toThrow('does not carry its entry');
  });

  it('does not prove another entry, another index or a changed checkpoint', () => {
    expect(() => verifyTlogProof(receipt, entries[5]!, [key])).toThrow('does not put this entry at index 6');
    expect(() => verifyTlogProof({ ...receipt, index: 7n }, entries[6]!, [key])).toThrow('index 7');
    expect(() => verifyTlogProof({ ...receipt, checkpoint: checkpoint.replace('\n11\n', '\n12\n') }, entries[6]!, [key])).toThrow(
      'does not verify',
    );
    expect(() => verifyTlogProof(receipt, entries[6]!, [witnessKey])).toThrow(LedgerError);
  });

  const written = formatTlogProof(receipt);
  it.each([
    ['nothing', ''],
    ['another header', written.replace('@v1', '@v2')],
    ['two extra lines', written.replace('\nindex', '\nextra aGVsbG8=\nindex')],
    ['no index', written.replace('index 6\n', '')],
    ['an index with a leading zero', written.replace('index 6', 'index 06')],
    ['a negative index', written.replace('index 6', 'index -6')],
    ['an index beyond 64 bits', written.replace('index 6', 'index 18446744073709551616')],
    ['a hash that is too short', written.replace(/\n[^\n]{44}\n/, '\nAAAA\n')],
    ['extra data that is not base64', written.replace(/extra .*/, 'extra *')],
    ['no checkpoint', written.slice(0, written.indexOf('\n\n'))],
    ['too many hashes', written.replace('index 6\n', `index 6\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(65)}`)],
  ])('is refused with %s', (_, text_) => {
    expect(() => parseTlogProof(text_)).toThrow('this receipt does not hold');
  });
});
