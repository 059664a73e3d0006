import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeVkey, publicKeyFromSeed, verifierKey } from '../note/index.js';
import { LOG_VKEY, ORIGIN, exportSample, operator, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { runAudit } from './audit.command.js';
import { readFolder, writeFolder } from '../export/index.js';

let folder: string;
const path = (...names: string[]) => join(folder, ...names);

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(words, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
  const write = writeFolder(path('ledger'));
  await writeFile(path('no-log.policy'), 'quorum none\n');
  for (const [name, bytes] of await exportSample(sampleLedger())) await write(name, bytes);
});

afterAll(() => rm(folder, { recursive: true }));

describe('coferment-audit verify', () => {
  it('exits 0 and says in plain words what it checked', async () => {
    const { code, out, err } = await audit('verify', path('ledger'), '--key', LOG_VKEY);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain(`Ledger ${ORIGIN}, 126 entries`);
    expect(out).toContain('Every statement is signed by a key that was enrolled at that time');
    expect(out).toContain('alpha: counted in 2');
    expect(out).toContain('This ledger holds.');
  });

  it('exits 2 without a key, and says that it was not checked', async () => {
    const { code, out } = await audit('verify', path('ledger'));
    expect(code).toBe(2);
    expect(out).toContain('This ledger is consistent with itself; key not checked.');
  });

  it('takes a policy file, the operator key and an earlier checkpoint', async () => {
    await writeFile(path('trust.policy'), `log ${LOG_VKEY}\nquorum none\n`);
    const flags = [
      '--policy',
      path('trust.policy'),
      '--operator-key',
      bytesToHex(operator.publicKey),
      '--earlier',
      path('ledger', 'checkpoint'),
    ];
    const { code, out } = await audit('verify', path('ledger'), ...flags);
    expect(code).toBe(0);
    expect(out).toContain('(as given)');
    expect(out).toContain('from 126 to 126 entries');
  });

  it('prints the report as JSON', async () => {
    const { code, out } = await audit('verify', path('ledger'), '--key', LOG_VKEY, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ verdict: 'holds', log: { size: '126' } });
  });

  it('exits 1 when something does not hold, and names it', async () => {
    const write = writeFolder(path('changed'));
    for (const [name, bytes] of await exportSample(sampleLedger()))
      await write(name, name.startsWith('tile/0/') ? bytes.with(0, bytes[0]! ^ 1) : bytes);
    const { code, out } = await audit('verify', path('changed'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toContain('tile/0/000.p/126: hash 0 is not the one that entry 0 gives');
    expect(out).toContain('This ledger does not hold: 1 of 20 checks fail.');
  });

  it('exits 1 when the log is not of the given key', async () => {
    const other = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(Buffer.alloc(32, 1))));
    expect((await audit('verify', path('ledger'), '--key', other)).code).toBe(1);
  });

  it.each([
    ['a folder that is not there', () => ['verify', path('nothing'), '--key', LOG_VKEY], 'is not a folder'],
    ['a key that is no key', () => ['verify', path('ledger'), '--key', 'abc'], 'not a verifier key'],
    ['a policy file that is not there', () => ['verify', path('ledger'), '--policy', path('nothing')], 'ENOENT'],
    ['a policy that names no log', () => ['verify', path('ledger'), '--policy', path('no-log.policy')], 'names no log'],
    ['an operator key that is no key', () => ['verify', path('ledger'), '--operator-key', 'ABC'], 'not 64 lower-case'],
    ['two sources of trust', () => ['verify', path('ledger'), '--key', LOG_VKEY, '--policy', path('nothing')], 'cannot be used with'],
    ['an unknown option', () => ['verify', path('ledger'), '--trust'], 'unknown option'],
    ['no folder', () => ['verify'], 'missing required argument'],
    ['no command', () => [], 'Usage'],
  ])('exits 2 for %s', async (_, words, message) => {
    const { code, err } = await audit(...words());
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('explains itself with an example', async () => {
    const { code, out } = await audit('verify', '--help');
    expect(code).toBe(0);
    expect(out).toContain('Example:');
  });

  it('fails loudly on what can be seen but not read', async () => {
    expect(() => readFolder(path('ledger'))('tile')).toThrow('is not a plain file');
  });
});

describe('coferment-audit pseudonym', () => {
  const salt = '5a'.repeat(32);
  const opening = ['--company', 'Müller & Söhne', '--salt', salt];
  // Computed here with another program's means.
  const site = `site-${createHash('sha256').update(Buffer.from(salt, 'hex')).update('Müller & Söhne').digest('hex').slice(0, 12)}`;

  it.each([
    ['a salt that is none', ['pseudonym', site, '--company', 'Müller', '--salt', 'abc'], 'not 64 lower-case'],
    ['no company', ['pseudonym', site, '--salt', salt], 'required option'],
  ])('exits 2 for %s', async (_, words, message) => {
    const { code, err } = await audit(...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('exits 0 for the company and 1 for any other', async () => {
    expect(await audit('pseudonym', site, ...opening)).toMatchObject({ code: 0, out: `${site} is the pseudonym of "Müller & Söhne".\n` });
    expect((await audit('pseudonym', site, '--company', 'Müller', '--salt', salt)).code).toBe(1);
    const { code, out } = await audit('pseudonym', 'site-000000000000', ...opening, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ isTheirs: false, opened: site });
  });
});
