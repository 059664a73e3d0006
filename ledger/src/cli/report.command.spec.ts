import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFolder } from '../export/index.js';
import { LOG_VKEY, exportSample, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { forging } from '../verify/verification.fixture.js';
import { runAudit } from './audit.command.js';

let folder: string;
const path = (...names: string[]) => join(folder, ...names);

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(words, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-report-'));
  const forgery = forging('run-closed', () => ({ rounds: 9 }));
  for (const [name, ledger] of [
    ['ledger', sampleLedger()],
    ['forged', sampleLedger(forgery)],
  ] as const) {
    const write = writeFolder(path(name));
    for (const [file, bytes] of await exportSample(ledger)) await write(file, bytes);
  }
});

afterAll(() => rm(folder, { recursive: true }));

describe('coferment-audit report', () => {
  it.each([
    ['no place for the page', () => [path('ledger')], 'required option'],
    ['a place where nothing can be written', () => [path('ledger'), '--out', path('nowhere', 'report.html')], 'ENOENT'],
    ['a folder that is not there', () => [path('nothing'), '--out', path('report.html')], 'is not a folder'],
  ])('exits 2 for %s', async (_, words, message) => {
    const { code, err } = await audit('report', ...words());
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('writes the page and says what came of the checks', async () => {
    const { code, out } = await audit('report', path('ledger'), '--out', path('report.html'), '--key', LOG_VKEY);
    expect(code).toBe(0);
    expect(out).toContain('This ledger holds.');
    expect(await readFile(path('report.html'), 'utf8')).toContain('<strong>This ledger holds.</strong>');
  });

  it('writes the page of a ledger that does not hold too, and exits 1', async () => {
    const { code, out } = await audit('report', path('forged'), '--out', path('forged.html'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toContain('does not hold');
    const page = await readFile(path('forged.html'), 'utf8');
    expect(page).toContain('it says 9 rounds; 2 sums of training rounds are recorded');
    expect(page).toContain('the operator said 9 at its end, WHICH DOES NOT AGREE');
  });

  it('prints as JSON what was written', async () => {
    const { code, out } = await audit('report', path('ledger'), '--out', path('again.html'), '--json');
    expect(code).toBe(2);
    const page = await readFile(path('again.html'));
    expect(JSON.parse(out)).toMatchObject({ bytes: page.length, sha256: sha256Hex(page), verdict: 'self-consistent' });
  });
});
