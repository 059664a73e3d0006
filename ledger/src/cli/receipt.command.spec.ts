import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommitmentOpening } from '@coferment/consortium';
import { bytesToHex, sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFolder } from '../export/index.js';
import { formatBundle, formatTlogProof } from '../receipt/index.js';
import { ReceiptSource, openableLedger, openingFor, policyText } from '../receipt/receipt.fixture.js';
import { LOG_KEY, LOG_VKEY, exportSample, identityOf, operator } from '../verify/sample-ledger.fixture.js';
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
  const writeLedger = writeFolder(path('ledger'));
  for (const [name, bytes] of await exportSample(source.ledger)) await writeLedger(name, bytes);
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
    expect(out).toContain('It was counted: entry');
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
    expect(code).toBe(0);
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
