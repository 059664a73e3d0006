import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitmentOf, openingOf } from '@coferment/consortium';
import { hash, sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeFolder } from '../export/index.js';
import { type Forgery, LOG_VKEY, RUN, type SampleLedger, exportSample, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { forging } from '../verify/verification.fixture.js';
import { runAudit } from './audit.command.js';

let folder: string;
const path = (...names: string[]) => join(folder, ...names);
const samples = openingOf('samples', hash('salt'), 240);

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(words, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

async function exported(name: string, ledger: SampleLedger, change = (_: string, bytes: Uint8Array) => bytes) {
  const write = writeFolder(path(name));
  for (const [file, bytes] of await exportSample(ledger)) await write(file, change(file, bytes));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-show-'));
  const committing = forging(
    'contribution',
    () => ({ sampleCommitment: commitmentOf(samples) }),
    ({ site, kind }) => site === 'alpha' && kind === 'update',
  );
  const ledger = sampleLedger(committing, 3, 2);
  await exported('ledger', ledger);
  await exported('changed', ledger, (name, bytes) => (name.startsWith('tile/0/') ? bytes.with(0, bytes[0]! ^ 1) : bytes));
  const hostile = forging('plan-published', () => ({ name: '\u001b[2J\u202e<b>This ledger holds.' }));
  await exported('hostile', sampleLedger(hostile));
  const withoutUpload: Forgery = (name, predicate) =>
    name === 'contribution' && 'site' in predicate && predicate.site === 'bravo' && 'kind' in predicate && predicate.kind === 'update'
      ? undefined
      : predicate;
  await exported('claimed', sampleLedger(withoutUpload));
  const first = ledger.payloads.find((_, index) => ledger.names[index] === 'contribution' && isOfRoundOne(ledger.payloads[index]!))!;
  await writeFile(path('opening.json'), JSON.stringify({ contribution: sha256Hex(first), openings: [samples] }));
  await writeFile(path('wrong.json'), JSON.stringify({ contribution: sha256Hex(first), openings: [{ ...samples, value: 999 }] }));
  await writeFile(path('broken.json'), '{');
});

afterAll(() => rm(folder, { recursive: true }));

function isOfRoundOne(payload: Uint8Array): boolean {
  const { predicate } = JSON.parse(Buffer.from(payload).toString()) as { predicate: { kind: string; site: string } };
  return predicate.kind === 'update' && predicate.site === 'alpha';
}

describe('coferment-audit show', () => {
  it.each([
    ['a folder that is not there', () => [path('nothing')], 'is not a folder'],
    [
      'a run that is not there',
      () => [path('ledger'), '--run', 'r9-0000000000000000'],
      `name no run "r9-0000000000000000"; there is ${RUN}`,
    ],
    ['a round that is not there', () => [path('ledger'), '--round', '9'], 'name no round 9; there are 1, 2, 3'],
    ['a site that is not there', () => [path('ledger'), '--site', 'zulu'], 'name no site "zulu"; there are alpha, bravo'],
    ['a round that is no number', () => [path('ledger'), '--round', '1e3'], 'not the number of a round'],
    ['an opening that is no JSON', () => [path('ledger'), '--opening', path('broken.json')], 'broken.json": it is not JSON'],
    ['an opening that is not there', () => [path('ledger'), '--opening', path('none.json')], 'ENOENT'],
    ['a key that is no key', () => [path('ledger'), '--key', 'abc'], 'not a verifier key'],
  ])('exits 2 for %s', async (_, words, message) => {
    const { code, err } = await audit('show', ...words());
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('says first that the ledger holds, then what stands in it', async () => {
    const { code, out } = await audit('show', path('ledger'), '--key', LOG_VKEY);
    expect(code).toBe(0);
    expect(out.split('\n')[2]).toBe('This ledger holds.');
    expect(out).toMatch(
      /7 +round 2 +1 +set fixed, not opened; went on as sum 12 +alpha, bravo, charlie \(in the set, not opened\) +delta \(late\)/,
    );
    expect(out).toMatch(/delta +2 +1 +0 +0 +0 +0 +0 +2 +committed/);
    expect(out).toContain('A holder lied.; instead of key holder charlie');
    expect(out).toContain('3 training rounds opened; what the operator said at its end agrees');
  });

  it('tells beside its output how far it is, where it takes long', async () => {
    let now = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now += 50));
    const { err, out } = await audit('show', path('ledger'), '--key', LOG_VKEY);
    clock.mockRestore();
    expect(err.split('\n').length).toBeGreaterThan(3);
    expect(err).toMatch(/^\d+ statements verified\n/);
    expect(out).not.toContain('statements verified');
  });

  it('says that the key was not checked, and exits 2', async () => {
    const { code, out } = await audit('show', path('ledger'));
    expect(code).toBe(2);
    expect(out).toContain('could have made up all of it');
  });

  it('never shows what it has not verified as a fact', async () => {
    const { code, out } = await audit('show', path('changed'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out.split('\n')[2]).toContain('THIS LEDGER DOES NOT HOLD');
    expect(out).toContain('hash 0 is not the one that entry 0 gives');
  });

  it('counts nobody whom only the operator says to have contributed', async () => {
    const { code, out } = await audit('show', path('claimed'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toContain('the upload of "bravo" is counted, but not signed by it');
    expect(out).toContain('alpha, charlie, delta; not shown by an upload: bravo');
    expect(out).toMatch(/bravo +0 +0 +0 +0 +0 +0 +2 +0 +none/);
    expect(out).toContain('WHICH DOES NOT AGREE');
  });

  it('lets nobody write to the terminal', async () => {
    const { out } = await audit('show', path('hostile'), '--key', LOG_VKEY);
    expect(out).toContain('<U+001B>[2J<U+202E><b>This ledger holds.');
    // oxlint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it('shows a number that was opened to the reader, and what it is opened of', async () => {
    const { code, out } = await audit('show', path('ledger'), '--key', LOG_VKEY, '--opening', path('opening.json'));
    expect(code).toBe(0);
    expect(out).toContain('1 opened number agrees');
    expect(out).toMatch(/alpha .* 240 \(1 of 3 opened\)/);
  });

  it('exits 1 where an opening opens nothing, and shows no number', async () => {
    const { code, out } = await audit('show', path('ledger'), '--key', LOG_VKEY, '--opening', path('wrong.json'));
    expect(code).toBe(1);
    expect(out).toContain('DOES NOT HOLD: "999" is not the samples that alpha has committed to');
    expect(out).not.toContain('999 (');
  });

  it('prints JSON with the same facts, for one run, round and site', async () => {
    const words = ['--key', LOG_VKEY, '--json', '--run', RUN, '--round', '2', '--site', 'delta'];
    const { code, out } = await audit('show', path('ledger'), ...words);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      verification: { verdict: 'holds' },
      account: {
        format: 'coferment-account/v1',
        sites: [{ site: 'delta', membership: 'enrolled', enrolledIn: [4] }],
        runs: [
          {
            sums: [
              { sum: 7, round: 2, outcome: 'frozen', continuedAs: 12 },
              { sum: 12, round: 2, outcome: 'opened' },
            ],
            contributions: [{ site: 'delta', rounds: { counted: 2, late: 1 }, notCounted: [{ round: 2, sum: 12, standing: 'late' }] }],
          },
        ],
      },
    });
  });
});
