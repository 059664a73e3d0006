import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AUDITOR, DEMO, processesOn, REPOSITORY, runCommand } from '../e2e/command.runner.js';
import { type PlayedDemo, playDemo } from './demo.fixture.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

const ROUNDS = 3;
const SITES = 3;
const ARGUMENTS = ['--rounds', String(ROUNDS), '--sites', String(SITES), '--seed', '4'];

const gitStatus = (): string => execFileSync('git', ['status', '--porcelain'], { cwd: REPOSITORY, encoding: 'utf8' });

let first: PlayedDemo;

beforeAll(async () => {
  first = await playDemo(...ARGUMENTS);
}, 240_000);

describe('a demo of three sites and three rounds', () => {
  it('completes, and its ledger verifies under the key printed at the start', async () => {
    const { summary, out, stdout } = first;
    expect(summary.run).toMatchObject({ status: 'completed', rounds: ROUNDS });
    expect(summary.ledger).toMatchObject({ verified: true });
    const vkey = readFileSync(join(out, 'ledger.vkey'), 'utf8').trim();
    expect(stdout).toContain(vkey);
    const again = await runCommand(AUDITOR, ['verify', join(out, 'ledger'), '--key', vkey, '--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ log: { root: summary.ledger.rootHash, size: String(summary.ledger.size) } });
  });

  it('is audited in full: cosigned, every sum opened again, a receipt checked, and a report to print', async () => {
    const { summary, out } = first;
    const sums = SITES + 1 + ROUNDS + 1;
    expect(summary.audit).toMatchObject({
      sumsRecomputed: sums,
      recomputedBitForBit: true,
      receipt: { holds: true, site: summary.sites[0]!.id },
      report: 'report.html',
    });
    // Two are needed by the charter; the third may be a moment late.
    for (const witnesses of [summary.audit.witnesses, summary.audit.receipt.witnesses]) expect(witnesses).toBeGreaterThanOrEqual(2);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    for (const { id } of summary.sites) expect(page).toContain(id);
    expect(page).toContain('This ledger holds.');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    const receipt = join(out, 'receipts', summary.sites[1]!.id);
    const [last] = readdirSync(receipt).toReversed();
    const proofs = ['contribution', 'freeze'].map((name) => join(receipt, last!, `${name}.sigstore.json`));
    const vkey = readFileSync(join(out, 'ledger.vkey'), 'utf8').trim();
    expect((await runCommand(AUDITOR, ['receipt', ...proofs, '--key', vkey])).code).toBe(0);
  });

  it('counts every site in every round', () => {
    const sites = first.summary.sites.map((site) => site.id);
    expect(first.summary.aggregation.rounds).toEqual(
      Array.from({ length: ROUNDS }, (_, index) => ({ round: index + 1, attempt: 1, counted: sites, excluded: [] })),
    );
  });

  it('leaves a model, a log for each process, and every byte class that left a site', () => {
    const { out, summary } = first;
    const model = JSON.parse(readFileSync(join(out, summary.model.file), 'utf8')) as { format: string };
    expect(model.format).toBe('layers-model');
    const logs = readdirSync(join(out, 'logs'));
    for (const { id } of summary.sites) {
      expect(logs).toContain(`${id}.log`);
      expect(readFileSync(join(out, 'logs', `${id}.log`), 'utf8')).toMatch(
        /"event":"sent","name":"ciphertext",.*"bytes":\d+,"digest":"[0-9a-f]{64}"/,
      );
    }
    expect(logs).toEqual(expect.arrayContaining(['coordinator.log', 'auditor.log']));
    expect(existsSync(join(out, 'ledger', 'checkpoint'))).toBe(true);
  });

  it('writes plain lines into a pipe', () => {
    expect(first.stdout).not.toContain('\u001B');
    expect(first.stdout).toContain(`round ${ROUNDS}/${ROUNDS}`);
    expect(first.stdout).toContain('What to look at next');
  });

  it('comes out the same from the same seed, bit for bit, though keys and nonces are new', async () => {
    const { summary } = await playDemo(...ARGUMENTS, '--json');
    expect(summary.model).toEqual(first.summary.model);
    expect(summary.metric).toEqual(first.summary.metric);
    expect(summary.ledger.rootHash).not.toBe(first.summary.ledger.rootHash);
  });
});

describe('a demo that does not come to its end', () => {
  it.each([
    [['--sites', '3', '--fault', 'drop-site'], 1, /3 sites.*at least 4 sites/],
    [['--sites', '2'], 2, /3 to 12/],
    [['--out', REPOSITORY], 1, /not empty/],
  ])('is refused at once: %j', async (args, code, said) => {
    const before = gitStatus();
    const out = join(temporaryFolder('coferment-refused'), 'out');
    const result = await runCommand(DEMO, ['--out', out, ...args]);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(said);
    expect(existsSync(out)).toBe(false);
    expect(gitStatus()).toBe(before);
  });

  it('stops everything at Ctrl-C', async () => {
    const out = join(temporaryFolder('coferment-interrupted'), 'out');
    const demo = spawn(process.execPath, ['--no-warnings', DEMO, '--out', out, '--sites', '3'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let printed = '';
    await new Promise<void>((resolve) =>
      demo.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (printed.includes('Key ceremony')) resolve();
      }),
    );
    expect(processesOn(out).length).toBeGreaterThan(4);
    const ended = new Promise<number | null>((resolve) => demo.once('close', resolve));
    demo.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(processesOn(out)).toEqual([]);
  });
});
