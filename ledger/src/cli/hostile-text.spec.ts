import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccountBook } from '../account/index.js';
import { readFolder, writeFolder } from '../export/index.js';
import { encodeBundle } from '../tiles/index.js';
import { verifyExport } from '../verify/index.js';
import { LOG_VKEY, exportSample, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { policy } from '../verify/verification.fixture.js';
import { runAudit } from './audit.command.js';
import { guardedOutput, jsonText } from './audit.output.js';
import { receiptText } from './receipt.text.js';
import { recomputationText } from './recomputation.text.js';
import { reportText } from './report.text.js';
import { showText } from './show.text.js';
import { answerText, followText, statusText } from './witness.text.js';

/** Clears the screen, says that all is well, and hides what follows. */
const HOSTILE = '\u001b[2J\u001b[H\nThis ledger holds.\n\u001b[8m\u202e\u009b';
let folder: string;
const path = (name: string) => join(folder, name);

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(words, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, text: out + err };
}

/** What a terminal does with it would be another thing than to print it. */
const controls = (text: string) => text.match(/(?!\n)[\p{Cc}\p{Cf}]/gu) ?? [];
const lines = (text: string) => text.split('\n').filter((line) => line.startsWith('This ledger holds.'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostile-'));
  const write = writeFolder(path('ledger'));
  for (const [file, bytes] of await exportSample(sampleLedger())) {
    const first = 2 + (bytes[0]! << 8) + bytes[1]!;
    const entry = Buffer.from(JSON.stringify({ [HOSTILE]: 1 }));
    await write(file, file.startsWith('tile/entries') ? Buffer.concat([encodeBundle([entry]), bytes.subarray(first)]) : bytes);
  }
  await writeFile(path('evidence.json'), JSON.stringify({ format: HOSTILE, [HOSTILE]: 1 }));
  await writeFile(path('policy.txt'), `${HOSTILE} x\n`);
});
afterAll(() => rm(folder, { recursive: true }));

describe('text of others', () => {
  it.each<[string, () => string[], number]>([
    ['verify', () => ['verify', path('ledger'), '--key', LOG_VKEY], 1],
    ['verify as JSON', () => ['verify', path('ledger'), '--key', LOG_VKEY, '--json'], 1],
    ['show', () => ['show', path('ledger'), '--key', LOG_VKEY], 1],
    ['recompute', () => ['recompute', path('ledger'), '--all', '--key', LOG_VKEY], 1],
    ['evidence', () => ['evidence', path('evidence.json'), '--key', LOG_VKEY], 2],
    [
      'pseudonym, of which nothing is escaped before the guard',
      () => ['pseudonym', '\u001b[2J', '--company', 'x', '--salt', 'ab'.repeat(32)],
      1,
    ],
    ['an error of any command', () => ['verify', path('ledger'), '--policy', path('policy.txt')], 2],
  ])('does nothing to the screen in what "%s" prints', async (_, words, expected) => {
    const { code, text } = await audit(...words());
    expect(code).toBe(expected);
    expect(controls(text)).toEqual([]);
    expect(lines(text)).toEqual([]);
    expect(text).toContain('2J');
  });

  it('begins no line of its own in any report, without the guard too', async () => {
    const found = await verifyExport(readFolder(path('ledger')), { policy });
    const problem = { where: HOSTILE, problem: HOSTILE };
    const checks = found.checks.map((check) => ({ ...check, outcome: 'fails' as const, detail: HOSTILE, problems: [problem] }));
    const verification = { ...found, checks, summary: HOSTILE, log: { ...found.log!, origin: HOSTILE, signedBy: [HOSTILE] } };
    const texts = [
      reportText(verification),
      showText({ verification, account: new AccountBook().account() }, 160),
      recomputationText({ ledger: verification, sums: [], verdict: 'does-not-hold', summary: HOSTILE }),
      receiptText({ verdict: 'does-not-hold', contributions: [], others: [], problems: [HOSTILE] }),
    ];
    for (const text of texts) {
      expect([controls(text), lines(text)]).toEqual([[], []]);
      expect(text).toContain('<U+001B>[2J');
    }
  });

  it('does nothing in what a witness prints', () => {
    const texts = [
      answerText({ kind: 'unproven', reason: HOSTILE }),
      followText({ kind: 'behind', origin: HOSTILE, size: 1n, lastSize: 2n }),
      statusText({
        vkey: 'w',
        logs: [{ origin: HOSTILE, size: '1' }],
        evidence: [{ file: 'f', origin: HOSTILE, verdict: 'open', reason: HOSTILE }],
      }),
    ];
    for (const text of texts) expect([controls(text), lines(text)]).toEqual([[], []]);
  });

  it('does nothing where a command forgot it: what a command itself writes passes, and nothing else', () => {
    let screen = '';
    const output = guardedOutput({ out: (text) => void (screen += text), err: (text) => void (screen += text) });
    const ours = '\r\u001b[K\u001b[31mTHIS\u001b[39m \u001b[1m\u001b[2m\u001b[22m\u001b[32m\u001b[33m\n';
    output.out(ours);
    output.err('\u001b[8mhidden\u001b[2J\r');
    expect(screen).toBe(`${ours}<U+001B>[8mhidden<U+001B>[2J<U+000D>`);
  });

  it('is the same for a program that reads the JSON', () => {
    const value = { text: `${HOSTILE}\u{e0041}\u{1f600}`, size: 5n };
    for (const space of [undefined, 2]) {
      expect(controls(jsonText(value, space))).toEqual([]);
      expect(JSON.parse(jsonText(value, space))).toEqual({ ...value, size: '5' });
    }
  });
});
