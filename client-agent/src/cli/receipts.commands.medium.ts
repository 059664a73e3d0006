import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex, loadCrypto } from '@coferment/crypto';
import { parseBundle, parseEntryProof, parseOpeningFile, parseVkey, verifyBundle, verifyTlogProof } from '@coferment/ledger';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeMembership } from '../enrolment/membership.file.js';
import { type Member, removeMember } from '../rounds/members.fixture.js';
import { ReceiptKeeper } from '../receipts/receipt.keeper.js';
import { RECEIPT_LOG_VKEY, ReceiptLog, RUN, SUM } from '../receipts/receipt.log.fixture.js';
import { agentProgram } from './program.js';

let a: Member;
let log: ReceiptLog;
let work: string;

beforeAll(async () => {
  await loadCrypto();
  work = mkdtempSync(join(tmpdir(), 'receipts-'));
  log = new ReceiptLog(2);
  a = log.site;
  writeFileSync(join(work, 'pass'), 'correct horse battery\n', { mode: 0o600 });
  writeMembership(a.folder, {
    schema: 1,
    consortium: 'acme',
    site: 'a',
    identityKey: bytesToHex(a.identity.publicKey),
    coordinator: 'coordinator.example:7443',
    serverName: 'coordinator.example',
    caCertificate: '',
    operatorKey: bytesToHex(a.operatorKey),
    logVkey: RECEIPT_LOG_VKEY,
    origin: 'ledger.example/acme',
    certificateExpiresAt: '2027-01-01T00:00:00.000Z',
  });
});

afterAll(() => {
  removeMember(a);
  rmSync(work, { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function receipts(...words: string[]): Promise<{ out: string; err: string; code: number }> {
  let [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
  await agentProgram().parseAsync(['receipts', ...words, '--data', a.folder], { from: 'user' });
  vi.restoreAllMocks();
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { out, err, code };
}

const fetch = () => new ReceiptKeeper({ ...a, port: log.port() }, RECEIPT_LOG_VKEY).fetchOwed();

describe('coferment-agent receipts, before one is there', () => {
  it('lists what is waited for, and has nothing to show or verify', async () => {
    expect((await receipts('list')).out).toBe(`${RUN}  round 1, sum 5 (update): waiting for the coordinator\n`);
    await fetch();
    expect((await receipts('list')).out).toContain('waiting for witnesses (2 are needed)');
    expect(JSON.parse((await receipts('list', '--json')).out)).toMatchObject({
      receipts: [{ run: RUN, sum: SUM, state: 'waiting-for-witnesses', witnessesNeeded: 2, contribution: log.contribution }],
    });
    expect(await receipts('show', RUN, '5')).toMatchObject({ code: 1, err: expect.stringContaining('not here yet') as string });
    expect(await receipts('verify')).toMatchObject({ code: 2, out: '0 of 0 receipts hold; 1 more are still waited for.\n' });
    const exported = await receipts('export', '--out', join(work, 'none'), '--json');
    expect(JSON.parse(exported.out)).toMatchObject({ error: { code: 'no-receipt' } });
    expect(existsSync(join(work, 'none'))).toBe(false);
  });
});

describe('coferment-agent receipts', () => {
  beforeAll(async () => {
    log.cosigning = ['b', 'c'];
    await fetch();
  });

  it('shows in plain words what a receipt proves, and verifies it', async () => {
    const { out, code } = await receipts('show', RUN, '5');
    expect(code).toBe(0);
    expect(out).toContain(`Sum 5 of run ${RUN} (update): the contribution of site a is in its frozen set.`);
    expect(out).toContain('counts it among 3 sites');
    expect(out).toContain('2 witnesses have cosigned it: ledger.example/acme/b, ledger.example/acme/c');
    expect(await receipts('verify')).toMatchObject({ code: 0, out: '1 of 1 receipts hold; 0 more are still waited for.\n' });
    expect((await receipts('show', RUN, '6')).err).toContain(`Counted: sum 5 of ${RUN}`);
  });

  it('verifies under a policy of the reader, and says what does not hold', async () => {
    writeFileSync(join(work, 'policy'), `log ${RECEIPT_LOG_VKEY}\nquorum none\n`);
    expect((await receipts('verify', '--policy', join(work, 'policy'))).code).toBe(0);
    const other = 'witness w other.example/w+';
    writeFileSync(join(work, 'other'), `log ${RECEIPT_LOG_VKEY}\n${other}\nquorum w\n`);
    expect((await receipts('verify', '--policy', join(work, 'other'))).code).toBe(2);
    const raw = new DatabaseSync(join(a.folder, 'journal.sqlite'));
    const before = raw.prepare('SELECT freeze FROM receipts').get()!['freeze'];
    raw.prepare('UPDATE receipts SET freeze = ?').run(String(before).replace('"round":1', '"round":2'));
    expect(await receipts('verify')).toMatchObject({ code: 1, out: expect.stringContaining('it was altered or is another one') as string });
    raw.prepare('UPDATE receipts SET freeze = ?').run(before!);
    raw.close();
  });

  it('exports both proofs in both forms, which verify with the key of the log alone', async () => {
    const out = join(work, 'out');
    const answer = await receipts('export', '--out', out);
    const folder = join(out, `${RUN}-sum-5`);
    expect(answer.out).toContain(`coferment-audit receipt ${folder}/contribution.tlog-proof`);
    const keys = [parseVkey(RECEIPT_LOG_VKEY)];
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    for (const [name, statement] of [
      ['contribution', log.contribution],
      ['freeze', log.freeze],
    ] as const) {
      expect(verifyBundle(parseBundle(read(`${name}.sigstore.json`)), keys).statement.digest).toBe(statement);
      const proof = parseEntryProof(read(`${name}.tlog-proof`));
      expect(() => verifyTlogProof(proof, proof.entry, keys)).not.toThrow();
    }
    expect(readdirSync(join(folder, 'payloads')).toSorted()).toEqual([log.contribution, log.freeze].map((d) => `${d}.json`).toSorted());
    expect(read('policy.txt')).toContain('group witnesses 2 w1 w2 w3');
  });

  it('opens what is asked for and nothing else, and never the salt', async () => {
    const file = join(work, 'samples.json');
    const words = ['open', RUN, '5', '--out', file, '--passphrase-file', join(work, 'pass')];
    expect((await receipts(...words)).err).toContain('Say what is to be opened');
    const { out, code } = await receipts(...words, '--samples');
    expect(code).toBe(0);
    expect(out).toContain('rows behind the contribution: 1200');
    expect(out).not.toContain(': 16');
    const written = readFileSync(file, 'utf8');
    expect(parseOpeningFile(written)).toMatchObject({ contribution: log.contribution, openings: [{ fact: 'samples', value: 1200 }] });
    for (const { salt } of a.journal.rounds.saltedFacts()) expect(written).not.toContain(bytesToHex(salt));
    expect((await receipts(...words, '--samples')).err).toContain('EEXIST');
  });

  it('opens all three after the vectors of the plan were erased', async () => {
    a.journal.rounds.eraseVectors('a'.repeat(64));
    const file = join(work, 'all.json');
    const all = ['--samples', '--batches', '--data-report'];
    await receipts('open', RUN, '5', '--out', file, '--passphrase-file', join(work, 'pass'), ...all);
    expect(parseOpeningFile(readFileSync(file, 'utf8')).openings.map(({ fact, value }) => [fact, value])).toEqual([
      ['samples', 1200],
      ['batches', 16],
      ['data-report', '7'.repeat(64)],
    ]);
  });

  it('says of a contribution by an older agent that nothing was kept that opens it, and that no backup has it', async () => {
    const raw = new DatabaseSync(join(a.folder, 'journal.sqlite'));
    raw.exec('DELETE FROM commitment_salts');
    raw.close();
    const file = join(work, 'older.json');
    const { code, err } = await receipts('open', RUN, '5', '--out', file, '--passphrase-file', join(work, 'pass'), '--samples');
    expect(code).toBe(1);
    expect(err).toMatch(/older agent, which kept nothing/);
    expect(err).not.toContain('backup');
    expect(existsSync(file)).toBe(false);
  });
});
