import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommitmentOpening } from '@coferment/consortium';
import { bytesToHex, digest, hash, sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFolder } from '../export/index.js';
import { encodeVkey, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { formatBundle, formatTlogProof } from '../receipt/index.js';
import { ReceiptSource, openableLedger, openingFor, policyText } from '../receipt/receipt.fixture.js';
import {
  CONSORTIUM,
  LOG_KEY,
  LOG_VKEY,
  type SampleLedger,
  append,
  exportSample,
  identityOf,
  operator,
  sampleLedger,
} from '../verify/sample-ledger.fixture.js';
import { runAudit } from './audit.command.js';

let folder: string;
const path = (...names: string[]) => join(folder, ...names);
const source = new ReceiptSource(openableLedger());
const CONTRIBUTION = source.indexOf('contribution');
const FREEZE = source.indexOf('round-frozen');

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(['receipt', ...words], { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

const write = (name: string, content: string | Uint8Array) => writeFile(path(name), content);

async function writeReceipts(name: string, index: number, from = source): Promise<void> {
  const { proof, payload } = from.at(index);
  await write(`${name}.tlog-proof`, formatTlogProof(proof));
  await write(`${name}.sigstore.json`, JSON.stringify(formatBundle(proof, payload, LOG_KEY)));
}

async function writeLedger(name: string, ledger: SampleLedger): Promise<void> {
  const writeFile = writeFolder(path(name));
  for (const [file, bytes] of await exportSample(ledger)) await writeFile(file, bytes);
}

const writeOpening = (name: string, index: number, ...openings: CommitmentOpening[]) =>
  write(name, JSON.stringify({ contribution: sha256Hex(source.ledger.payloads[index]!), openings }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receipt-'));
  await mkdir(path('payloads'));
  for (const index of [CONTRIBUTION, FREEZE]) {
    const { payload } = source.at(index);
    await writeFile(path('payloads', `${sha256Hex(payload)}.json`), payload);
  }
  await writeReceipts('contribution', CONTRIBUTION);
  await writeReceipts('freeze', FREEZE);
  await writeReceipts('other-freeze', source.indexOf('round-frozen', 7));
  for (const quorum of [1, 2, 3]) await write(`quorum-${quorum}.policy`, policyText(quorum));
  await writeOpening('samples.json', CONTRIBUTION, openingFor('samples'));
  await writeOpening('wrong.json', CONTRIBUTION, openingFor('samples', 1201));
  await writeOpening('of-freeze.json', FREEZE, openingFor('samples'));
  await writeLedger('ledger', source.ledger);
});
afterAll(() => rm(folder, { recursive: true }));

describe('coferment-audit receipt', () => {
  it.each([
    ['proofs', ['contribution.tlog-proof', 'freeze.tlog-proof']],
    ['bundles', ['contribution.sigstore.json', 'freeze.sigstore.json']],
    ['a proof and a bundle', ['contribution.tlog-proof', 'freeze.sigstore.json']],
  ])('says in plain words what two %s prove', async (_, files) => {
    const { code, out } = await audit(
      ...files.map((file) => path(file)),
      '--policy',
      path('quorum-2.policy'),
      '--opening',
      path('samples.json'),
      '--operator-key',
      bytesToHex(operator.publicKey),
    );
    expect(out).toContain('Site alpha took part in sum 6 of run');
    expect(out).toContain(`key ${bytesToHex(identityOf('alpha').publicKey)}`);
    expect(out).toContain('cosigned by 2 witnesses (ledger.example/fermentation-a/bravo, ledger.example/fermentation-a/charlie)');
    expect(out).toContain('It is in the frozen set: entry');
    expect(out).not.toContain('It was counted');
    expect(out).toContain('over 4 sites, round 1');
    expect(out).toContain('Opened: samples = 1200');
    expect(out).toContain('This receipt holds.');
    expect(code).toBe(0);
  });

  it('does not say that a contribution was counted without the freeze, and finds the freeze in a ledger', async () => {
    const alone = await audit(path('contribution.tlog-proof'), '--key', LOG_VKEY);
    expect(alone.code).toBe(2);
    expect(alone.out).toContain('whether it was counted could not be checked');
    expect(alone.out).not.toContain('It was counted');
    const other = await audit(path('contribution.tlog-proof'), path('other-freeze.sigstore.json'), '--key', LOG_VKEY);
    expect(other.code).toBe(2);
    const { code, out } = await audit(path('contribution.tlog-proof'), '--key', LOG_VKEY, '--ledger', path('ledger'));
    expect(out).toContain(`It was counted: entry ${FREEZE} freezes`);
    expect(out).toContain(`Entry ${source.ledger.names.indexOf('aggregate', FREEZE)} opens that sum.`);
    const both = await audit(path('contribution.tlog-proof'), path('freeze.tlog-proof'), '--key', LOG_VKEY, '--ledger', path('ledger'));
    expect(both).toMatchObject({ code: 0, out: expect.stringContaining('It was counted') as string });
    expect(code).toBe(0);
  });

  it('says that a frozen sum was counted only where the ledger has opened it', async () => {
    // Sum 7 is frozen in the first key epoch and completed as sum 12 in the second.
    const renewed = new ReceiptSource(sampleLedger(undefined, 2, 2));
    await writeLedger('renewed', renewed.ledger);
    for (const [sum, code] of [
      [7, 2],
      [12, 0],
    ] as const) {
      await writeReceipts(`contribution-${sum}`, renewed.indexOf('contribution', sum), renewed);
      await writeReceipts(`freeze-${sum}`, renewed.indexOf('round-frozen', sum), renewed);
      const files = [path(`contribution-${sum}.sigstore.json`), path(`freeze-${sum}.sigstore.json`)];
      const found = await audit(...files, '--key', LOG_VKEY, '--ledger', path('renewed'));
      expect(found.code).toBe(code);
      expect(found.out.includes('It was counted'), found.out).toBe(code === 0);
      expect(found.out.includes('does not say that it was opened'), found.out).toBe(code === 2);
      expect((await audit(...files, '--key', LOG_VKEY)).out).toContain('It is in the frozen set');
    }
  });

  it('holds for a site that was revoked later and came back with another key', async () => {
    const log = sampleLedger();
    append(log, 'site-revoked', { consortium: CONSORTIUM, site: 'alpha', reason: 'lost laptop' }, operator);
    const identityKey = bytesToHex(identityOf('alpha-again').publicKey);
    append(log, 'site-enrolled', { consortium: CONSORTIUM, site: 'alpha', identityKey, certificate: digest('fixture', 'again') }, operator);
    const later = new ReceiptSource(log);
    await writeLedger('re-enrolled', log);
    await writeReceipts('early', later.indexOf('contribution'), later);
    const { code, out } = await audit(path('early.sigstore.json'), '--key', LOG_VKEY, '--ledger', path('re-enrolled'));
    expect(out).toContain('It was counted');
    expect(code).toBe(0);
  });

  it('counts no contribution of one log by a freeze of another that the policy names too', async () => {
    const origin = 'other.example/log';
    const seed = hash('fixture', 'another log');
    const other = encodeVkey(verifierKey('log', origin, publicKeyFromSeed(seed)));
    const { proof, payload } = source.at(FREEZE);
    const checkpoint = signCheckpoint({ origin, size: source.tree.size, root: source.tree.root() }, seed);
    await write('elsewhere.tlog-proof', formatTlogProof({ ...proof, checkpoint }));
    await write(`payloads/${sha256Hex(payload)}.json`, payload);
    await write('two-logs.policy', `log ${LOG_VKEY}\nlog ${other}\nquorum none\n`);
    const found = await audit(path('contribution.tlog-proof'), path('elsewhere.tlog-proof'), '--policy', path('two-logs.policy'));
    expect(found.out).toContain(`of ledger ${origin} is a round-frozen`);
    expect(found.out).toContain('whether it was counted could not be checked');
    expect(found.code).toBe(2);
  });

  it('shows no control character of a file', async () => {
    await write('hostile.tlog-proof', 'c2sp.org/tlog-proof@v1\nindex 0\n\u001b[2J\u001b[HIt was counted.\u001b[8m\n\nfoo\n');
    const { code, out } = await audit(path('hostile.tlog-proof'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toContain('<U+001B>[2J');
    expect(out).not.toContain('\u001b');
  });

  it('names how many witnesses there are where a policy asks for more', async () => {
    const { code, out } = await audit(path('contribution.tlog-proof'), path('freeze.tlog-proof'), '--policy', path('quorum-3.policy'));
    expect(code).toBe(1);
    expect(out).toContain('2 of the policy\'s 3 witnesses have cosigned; that does not meet its quorum "sites"');
  });

  it('prints JSON', async () => {
    const { code, out } = await audit(path('contribution.sigstore.json'), path('freeze.tlog-proof'), '--key', LOG_VKEY, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'holds',
      contributions: [{ site: 'alpha', sum: 6, kind: 'update', frozenBy: { index: String(FREEZE), sites: 4 } }],
      others: [{ name: 'round-frozen' }],
    });
  });

  it.each<[string, () => string[], string]>([
    ['an opening with another number', () => ['--opening', path('wrong.json')], 'did not commit its site to samples = 1201'],
    ['openings of something else', () => ['--opening', path('of-freeze.json')], 'none of these receipts is about'],
    ['a freeze that another key signed', () => ['--operator-key', '00'.repeat(32)], "not with the operator's"],
  ])('exits 1 for %s', async (_, words, message) => {
    const { code, out } = await audit(path('contribution.tlog-proof'), path('freeze.tlog-proof'), '--key', LOG_VKEY, ...words());
    expect(out).toContain(message);
    expect(code).toBe(1);
  });

  it.each<[string, Parameters<typeof openableLedger>[0], string]>([
    [
      'does not count the site',
      (name, predicate) =>
        name !== 'round-frozen' || (predicate as { sum: number }).sum !== 6
          ? predicate
          : {
              ...predicate,
              counted: (predicate as unknown as { counted: { site: string }[] }).counted.filter(({ site }) => site !== 'alpha'),
              excluded: [{ site: 'alpha', reason: 'late' }],
            },
      'does not count site "alpha": late',
    ],
    [
      'counts another upload',
      (name, predicate) =>
        name !== 'round-frozen' || (predicate as { sum: number }).sum !== 6
          ? predicate
          : {
              ...predicate,
              counted: (predicate as unknown as { counted: { site: string }[] }).counted.map((entry) => ({
                ...entry,
                merkleRoot: 'ab'.repeat(32),
              })),
            },
      'counts another upload of site "alpha"',
    ],
  ])('exits 1 for a freeze that %s', async (_, forge, message) => {
    const forged = new ReceiptSource(openableLedger(forge));
    await writeReceipts('forged-contribution', forged.indexOf('contribution'), forged);
    await writeReceipts('forged-freeze', forged.indexOf('round-frozen'), forged);
    const { code, out } = await audit(path('forged-contribution.sigstore.json'), path('forged-freeze.sigstore.json'), '--key', LOG_VKEY);
    expect(out).toContain(message);
    expect(code).toBe(1);
  });

  it('exits 1 for a receipt of a log that was forked from the ledger', async () => {
    const forked = new ReceiptSource(
      openableLedger((name, predicate) => (name === 'plan-published' ? { ...predicate, name: 'Another plan' } : predicate)),
    );
    await writeReceipts('forked', forked.indexOf('contribution'), forked);
    const { code, out } = await audit(path('forked.sigstore.json'), '--key', LOG_VKEY, '--ledger', path('ledger'));
    expect(out).toContain('the log was forked or rewritten');
    expect(code).toBe(1);
  });

  it('exits 2 when the statement of a proof is not there, and 1 when it is another one', async () => {
    await mkdir(path('apart', 'payloads'), { recursive: true });
    const { proof } = source.at(CONTRIBUTION);
    await write('apart/contribution.tlog-proof', formatTlogProof(proof));
    const missing = await audit(path('apart', 'contribution.tlog-proof'), '--key', LOG_VKEY);
    expect([missing.code, missing.out]).toEqual([2, expect.stringContaining('the statement of its entry is not here') as string]);
    await write(`apart/payloads/${sha256Hex(source.ledger.payloads[CONTRIBUTION]!)}.json`, source.ledger.payloads[FREEZE]!);
    const other = await audit(path('apart', 'contribution.tlog-proof'), '--key', LOG_VKEY);
    expect([other.code, other.out]).toEqual([1, expect.stringContaining('it was altered or is another one') as string]);
  });

  it.each<[string, () => string[], string]>([
    ['no key', () => [path('contribution.tlog-proof')], 'give the key of the log'],
    ['a file that is not there', () => [path('nothing'), '--key', LOG_VKEY], 'ENOENT'],
    ['an opening that is none', () => [path('freeze.tlog-proof'), '--key', LOG_VKEY, '--opening', path('quorum-1.policy')], 'not JSON'],
  ])('exits 2 for %s', async (_, words, message) => {
    const { code, err } = await audit(...words());
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('exits 1 for a file that is neither a proof nor a bundle', async () => {
    const { code, out } = await audit(path('quorum-1.policy'), '--key', LOG_VKEY);
    expect([code, out]).toEqual([1, expect.stringContaining('it is not JSON') as string]);
  });
});
