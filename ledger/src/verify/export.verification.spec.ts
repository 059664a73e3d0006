import { bytesToHex, digest, sha256Hex } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { payloadPath } from '../export/index.js';
import { appendSignatures, cosign, encodeVkey, parseNote, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { parsePolicy, policyOfLogKey } from '../policy/index.js';
import { decodeBundle } from '../tiles/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import type { CheckId } from './index.js';
import {
  CONSORTIUM,
  LOG_KEY,
  LOG_SEED,
  LOG_VKEY,
  ORIGIN,
  SITES,
  type SampleLedger,
  exportSample,
  operator,
  sampleLedger,
} from './sample-ledger.fixture.js';
import { check, failing, other, policy, problems, verifyFiles, verifyLedger } from './verification.fixture.js';

describe('a sound export', () => {
  it('holds under the key from outside, and says what was counted', async () => {
    const report = await verifyLedger(sampleLedger());
    expect(failing(report)).toEqual([]);
    expect(report).toMatchObject({
      verdict: 'holds',
      consortium: CONSORTIUM,
      operatorKey: bytesToHex(operator.publicKey),
      operatorKeyPinned: false,
    });
    expect(report.log).toMatchObject({ origin: ORIGIN, size: '126', signedBy: [`${ORIGIN}+${LOG_KEY.keyId}`] });
    const updates = [2, 2, 2, 1];
    expect(report.totals).toMatchObject([
      { rounds: 2, contributions: SITES.map((site, position) => ({ site, updates: updates[position] })) },
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('is only consistent with itself when no key was given', async () => {
    const report = await verifyLedger(sampleLedger(), {});
    expect(report).toMatchObject({ verdict: 'self-consistent', summary: 'consistent with itself; key not checked' });
  });

  it('holds with more entries than one tile has', async () => {
    const report = await verifyLedger(sampleLedger(undefined, 20));
    expect(Number(report.log?.size)).toBeGreaterThan(256);
    expect(report.verdict).toBe('holds');
  });

  it('holds when a statement stands in it twice, which counts once', async () => {
    const ledger = sampleLedger();
    const position = ledger.names.indexOf('aggregate');
    ledger.entries.push(ledger.entries[position]!);
    ledger.payloads.push(ledger.payloads[position]!);
    expect((await verifyLedger(ledger)).verdict).toBe('holds');
  });
});

/** Where entry `index` begins in a bundle, behind its length. */
function entryStart(bundle: Uint8Array, index: number): number {
  const before = decodeBundle(bundle).slice(0, index);
  return before.reduce((offset, entry) => offset + 2 + entry.length, 2);
}

describe('one changed byte', () => {
  const cases: [string, (path: string) => boolean, CheckId[], (path: string) => string][] = [
    [
      'an entry',
      (path) => path === 'tile/entries/000.p/126',
      ['root', 'entries', 'tiles'],
      () => 'tile/0/000.p/126: hash 63 is not the one that entry 63 gives',
    ],
    ['a hash tile', (path) => path === 'tile/0/000.p/126', ['tiles'], (path) => `${path}: hash`],
    ['a payload', (path) => path.startsWith('payloads/'), ['payloads'], (path) => `(${path}): the payload was changed`],
    ['the checkpoint', (path) => path === 'checkpoint', ['checkpoint'], () => 'checkpoint: the signature of'],
  ];

  it.each(cases)('in %s is found, and the report says where', async (_, matches, expected, where) => {
    const files = await exportSample(sampleLedger());
    const path = [...files.keys()].filter(matches).at(-1)!;
    const bytes = Uint8Array.from(files.get(path)!);
    const position =
      path === 'checkpoint' ? ORIGIN.length + 2 : path.startsWith('tile/entries') ? entryStart(bytes, 63) : Math.floor(bytes.length / 2);
    bytes[position]! ^= 1;
    files.set(path, bytes);
    const report = await verifyFiles(files);
    expect(report.verdict).toBe('does-not-hold');
    expect(failing(report)).toEqual(expect.arrayContaining(expected));
    expect(problems(report, expected.at(-1)!).join('\n')).toContain(where(path));
  });

  it('in any of 20 places of an entry bundle is found', async () => {
    const files = await exportSample(sampleLedger());
    const bytes = files.get('tile/entries/000.p/126')!;
    for (let position = 0; position < 140; position += 7) {
      const changed = Uint8Array.from(bytes);
      changed[position]! ^= 1;
      const report = await verifyFiles(new Map(files).set('tile/entries/000.p/126', changed));
      if (!failing(report).includes('root')) expect.fail(`byte ${position}`);
    }
  });

  it('names the entry whose payload is missing', async () => {
    const ledger = sampleLedger();
    const files = await exportSample(ledger);
    const path = payloadPath(sha256Hex(ledger.payloads[7]!));
    files.delete(path);
    expect(problems(await verifyFiles(files), 'payloads')).toEqual([`entry 7 (${path}): the payload is missing`]);
  });

  it('names the entry that is replaced by another valid one, when log and tiles are made to fit', async () => {
    const ledger = sampleLedger();
    const position = ledger.names.indexOf('contribution');
    ledger.entries[position] = ledger.entries[position + 1]!;
    ledger.payloads[position] = ledger.payloads[position + 1]!;
    expect(failing(await verifyLedger(ledger))).toEqual(['contributions']);
  });
});

describe('keys', () => {
  it("refuses a whole log that somebody else made, under the real log's key", async () => {
    const otherKey = verifierKey('log', ORIGIN, publicKeyFromSeed(Buffer.alloc(32, 1)));
    const report = await verifyLedger(sampleLedger(), { policy: policyOfLogKey(otherKey) });
    expect(report.verdict).toBe('does-not-hold');
    expect(problems(report, 'checkpoint')[0]).toContain('known keys');
    expect(check(report, 'signatures').outcome).toBe('unchecked');
  });

  it('refuses a consortium that another operator founded, when the key is pinned', async () => {
    const pinned = await verifyLedger(sampleLedger(), { policy, operatorKey: bytesToHex(operator.publicKey) });
    expect(pinned).toMatchObject({ verdict: 'holds', operatorKeyPinned: true });
    const other = await verifyLedger(sampleLedger(), { policy, operatorKey: digest('fixture', 'another') });
    expect(failing(other)).toContain('signatures');
  });

  it('asks for the witnesses that the policy names', async () => {
    const files = await exportSample(sampleLedger());
    const witnesses = SITES.map((site) => ({ name: `${site}.example`, seed: Buffer.from(digest('fixture', 'witness', site), 'hex') }));
    const lines = witnesses.map(
      ({ name, seed }, position) => `witness w${position} ${encodeVkey(verifierKey('witness', name, publicKeyFromSeed(seed)))}`,
    );
    const strict = parsePolicy([`log ${LOG_VKEY}`, ...lines, 'group all-sites 2 w0 w1 w2 w3', 'quorum all-sites', ''].join('\n'));
    const alone = await verifyFiles(files, { policy: strict });
    expect(problems(alone, 'witnesses')).toEqual(['checkpoint: quorum "all-sites" is not met: no known witness has cosigned']);
    const note = Buffer.from(files.get('checkpoint')!).toString();
    const { text } = parseNote(note);
    const cosigned = appendSignatures(
      note,
      witnesses.slice(1, 3).map((witness) => cosign(text, 1_700_000_000n, witness)),
    );
    const report = await verifyFiles(files.set('checkpoint', Buffer.from(cosigned)), { policy: strict });
    expect(report.verdict).toBe('holds');
    expect(check(report, 'witnesses').detail).toBe('cosigned by bravo.example, charlie.example: quorum "all-sites" is met');
  });
});

describe('an earlier checkpoint', () => {
  const at = (ledger: SampleLedger, size: number) => {
    const root = new MerkleTree(ledger.entries.map(leafHash)).root(BigInt(size));
    return signCheckpoint({ origin: ORIGIN, size: BigInt(size), root }, LOG_SEED);
  };

  it('is extended by an honest log', async () => {
    const ledger = sampleLedger();
    for (const size of [0, 1, 77, 126]) {
      const report = await verifyLedger(ledger, { policy, earlier: at(ledger, size) });
      expect(check(report, 'extends')).toMatchObject({ outcome: 'holds', detail: `from ${size} to 126 entries` });
    }
  });

  it('shows that a log was rewritten, although both are signed by its key', async () => {
    const rewritten = sampleLedger((_, predicate) => ('name' in predicate ? { ...predicate, name: 'Another name' } : predicate));
    const report = await verifyLedger(rewritten, { policy, earlier: at(sampleLedger(), 77) });
    expect(failing(report)).toEqual(['extends']);
    expect(problems(report, 'extends')[0]).toContain('forked or rewritten');
  });

  it('that is larger than the export could not be compared, which is no verdict; the others still are', async () => {
    const shorter = await verifyLedger(sampleLedger(undefined, 1), { policy, earlier: at(sampleLedger(), 126) });
    expect(shorter.verdict).toBe('could-not-check');
    expect(check(shorter, 'extends').detail).toContain('had 126 entries, this export has 115: it is older, so export the ledger again');
    const both = await verifyLedger(sampleLedger(undefined, 1), { policy, earlier: [at(sampleLedger(), 126), at(sampleLedger(), 30)] });
    expect(check(both, 'extends')).toMatchObject({ outcome: 'unchecked', detail: expect.stringContaining('from 30 to 115 entries; ') });
    const lie = signCheckpoint({ origin: ORIGIN, size: 30n, root: Buffer.from(other, 'hex') }, LOG_SEED);
    const refuted = await verifyLedger(sampleLedger(undefined, 1), { policy, earlier: [at(sampleLedger(), 126), lie] });
    expect(problems(refuted, 'extends')[0]).toContain('earlier checkpoint 2: the first 30 entries are not those');
  });
});

describe('what is not there', () => {
  it('could not be checked: an empty folder', async () => {
    expect(await verifyFiles(new Map())).toMatchObject({ verdict: 'could-not-check', log: undefined });
    expect(await verifyFiles(new Map(), {})).toMatchObject({ verdict: 'could-not-check' });
  });

  it('could not be checked: a log of more entries than are read', async () => {
    const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1n << 40n, root: new Uint8Array(32) }, LOG_SEED);
    const report = await verifyFiles(new Map([['checkpoint', Buffer.from(checkpoint)]]));
    expect(report.verdict).toBe('could-not-check');
    expect(check(report, 'checkpoint').detail).toContain('1099511627776 entries');
  });

  it('may be the stored objects; those that are there must be the signed ones', async () => {
    const files = await exportSample(sampleLedger());
    files.set(`objects/${digest('fixture', 'sum', 6)}`, Buffer.from('not the sum'));
    const report = await verifyFiles(files);
    expect(failing(report)).toEqual(['objects']);
    expect(check(report, 'objects').detail).toMatch(/^1 of the \d+ objects/);
  });
});
