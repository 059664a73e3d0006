import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RecomputationReport } from '../recompute/index.js';
import { type RealLedger, realLedger } from '../recompute/real-ledger.fixture.js';
import { LOG_VKEY } from '../verify/sample-ledger.fixture.js';
import { runAudit } from './audit.command.js';

const folder = mkdtempSync(join(tmpdir(), 'recompute-command-'));
const exported = join(folder, 'ledger');
let ledger: RealLedger;

beforeAll(async () => {
  await loadCrypto();
  ledger = await realLedger();
  for (const path of ledger.files.keys()) write(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string): void {
  mkdirSync(dirname(join(exported, path)), { recursive: true });
  writeFileSync(join(exported, path), ledger.files.get(path)!);
}

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const code = await runAudit(['recompute', exported, ...words], {
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
  });
  return { code, ...printed };
}

it('says what was opened again, from whom, and what follows', async () => {
  const { code, out, err } = await run('--round', '1', '--key', LOG_VKEY);
  expect(code).toBe(0);
  expect(out).toContain('Sum 6, update of round 1');
  expect(out).toContain('4 uploads of alpha, bravo, charlie, delta opened again: 1286 coefficients in 2 blocks, as published');
  expect(out).toContain('with the decryption shares of alpha, bravo, charlie, delta: 2 more than the 2 that it takes, and they agree');
  expect(out).toContain(`model: ${ledger.models[1]}`);
  expect(out).toContain('Holds: recomputed bit for bit.');
  expect(err).toMatch(/verifying the ledger …\nsum 6 \(update\): 4 uploads and 4 decryption shares of 2 blocks …/);
});

it('is 2 at best without a key from outside', async () => {
  const { code, out } = await run('--sum', '5');
  expect(code).toBe(2);
  expect(out).toContain("Recomputed bit for bit; the log's key was not checked.");
});

it('names whose upload was changed and exits with 1', async () => {
  const path = ledger.pathOf('upload', 7, 'bravo');
  writeFileSync(join(exported, path), 'something else');
  const { code, out } = await run('--round', '2', '--key', LOG_VKEY);
  write(path);
  expect(code).toBe(1);
  expect(out).toMatch(new RegExp(`${path}, named in entry \\d+ \\(contribution\\): the upload of "bravo" is not what was signed`));
  expect(out).toContain('Does not hold: 1 of 2 sums is not what was published.');
});

it('says how to get what is missing and exits with 2', async () => {
  const path = ledger.pathOf('share', 6, 'delta');
  rmSync(join(exported, path));
  const { code, out } = await run('--round', '1', '--key', LOG_VKEY);
  write(path);
  expect(code).toBe(2);
  expect(out).toContain(`missing: the decryption share of "delta", ${path} (named in entry`);
  expect(out).toContain('coferment export ledger --with-objects --out DIR');
});

it('prints the whole report as JSON', async () => {
  const { code, out } = await run('--all', '--key', LOG_VKEY, '--json');
  expect(code).toBe(0);
  const report = JSON.parse(out) as RecomputationReport;
  expect(report.sums.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 8 }, () => 'holds'));
  expect(report.ledger.verdict).toBe('holds');
});

it.each([
  [[], 'say what to recompute: --round NUMBER, --sum NUMBER or --all'],
  [['--round', '-1'], '--round "-1" is not a whole number'],
  [['--sum', '1e3'], '--sum "1e3" is not a whole number'],
  [['--round', '1', '--all'], "option '--all' cannot be used with option '--round"],
  [['--sum', '77'], 'the ledger has no published sum with the number 77'],
])('refuses %j', async (words, message) => {
  const { code, err } = await run(...words);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
