import { loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SumChoice, recomputeExport } from './index.js';
import { type RealLedger, realLedger, RUN, SITES } from './real-ledger.fixture.js';
import { flipped, LedgerFolders, problems, round1 } from './recomputation.fixture.js';

const folders = new LedgerFolders();
let honest: RealLedger;

beforeAll(async () => {
  await loadCrypto();
  honest = await realLedger();
});
afterAll(() => folders.remove());

describe('an honest ledger with objects', () => {
  it('is recomputed whole, bit for bit, with the models that its sites had', async () => {
    const report = await folders.recompute(honest, { of: 'all' });
    expect(problems(report)).toEqual([]);
    expect(report.ledger.checks.filter(({ outcome }) => outcome === 'fails')).toEqual([]);
    expect(report.verdict).toBe('holds');
    expect(report.sums.map(({ sum, kind, opened, modelOut }) => ({ sum, kind, opened, modelOut }))).toEqual([
      ...[1, 2, 3, 4].map((sum) => ({ sum, kind: 'confirm', opened: true, modelOut: 'none' })),
      { sum: 5, kind: 'statistics', opened: true, modelOut: honest.models[0] },
      { sum: 6, kind: 'update', opened: true, modelOut: honest.models[1] },
      { sum: 7, kind: 'update', opened: true, modelOut: honest.models[2] },
      { sum: 8, kind: 'evaluate', opened: true, modelOut: honest.models[2] },
    ]);
    expect(report.sums.at(-1)!.metrics).toEqual({ rmse: 2, holdoutCount: 8 });
    expect(report.sums[5]).toMatchObject({ blocks: 2, counted: SITES, holders: SITES, threshold: 2, missing: [] });
  });

  it('is recomputed for one round or one sum without the uploads and shares of the others', async () => {
    const others = [honest.pathOf('upload', 6, 'alpha'), honest.pathOf('share', 8, 'delta'), honest.pathOf('sum', 8)];
    const without = Object.fromEntries(others.map((path) => [path, undefined]));
    const report = await folders.recompute(honest, { of: 'sum', sum: 7, run: RUN }, without);
    expect(report).toMatchObject({
      verdict: 'holds',
      sums: [{ sum: 7, counted: ['alpha', 'bravo', 'charlie'], modelOut: honest.models[2] }],
    });
  });

  it('without a key from outside is only consistent with itself', async () => {
    expect(await recomputeExport(folders.of(honest.files), { choice: round1 })).toMatchObject({
      verdict: 'self-consistent',
      sums: [{ outcome: 'holds' }],
    });
  });

  it.each<[SumChoice, RegExp]>([
    [{ of: 'round', round: 9 }, /no published sum of round 9/],
    [{ of: 'sum', sum: 99, run: RUN }, /no published sum with the number 99 of r1-/],
    [{ of: 'all', run: 'r9-0000000000000000' }, /no run "r9-0000000000000000"; it has r1-/],
  ])('has nothing to recompute for %j', async (choice, message) => {
    await expect(folders.recompute(honest, choice)).rejects.toThrow(message);
  });
});

describe('a changed object is named, with its site and entry', () => {
  it.each<['upload' | 'share' | 'sum', string, RegExp]>([
    [
      'upload',
      'bravo',
      /^objects\/[0-9a-f]{64}, named in entry \d+ \(contribution\): the upload of "bravo" is not what was signed: its SHA-256/,
    ],
    ['share', 'charlie', /named in entry \d+ \(share\): the decryption share of "charlie" is not what was signed/],
    ['sum', '', /named in entry \d+ \(aggregate\): the published sum 6 is not what was signed/],
  ])('%s %s', async (what, site, message) => {
    const path = honest.pathOf(what, 6, site);
    const report = await folders.recompute(honest, round1, { [path]: flipped(honest.files.get(path)!) });
    expect(report.verdict).toBe('does-not-hold');
    expect(problems(report)).toEqual([expect.stringMatching(message)]);
    expect(problems(report)[0]).toContain(path);
  });

  it('of another length', async () => {
    const path = honest.pathOf('upload', 6, 'alpha');
    const report = await folders.recompute(honest, round1, { [path]: honest.files.get(path)!.slice(1) });
    expect(problems(report)[0]).toMatch(/It has \d+ bytes; it must have \d+/);
  });

  it('when two sites are swapped, or another round stands in its place', async () => {
    const [alpha, bravo] = ['alpha', 'bravo'].map((site) => honest.pathOf('upload', 6, site)) as [string, string];
    const swapped = await folders.recompute(honest, round1, { [alpha]: honest.files.get(bravo), [bravo]: honest.files.get(alpha) });
    expect(problems(swapped)).toEqual([
      expect.stringContaining('the upload of "alpha" is not what was signed: these are the bytes of the upload of "bravo" to sum 6'),
      expect.stringContaining('these are the bytes of the upload of "alpha" to sum 6'),
    ]);
    const share = honest.pathOf('share', 6, 'delta');
    const other = await folders.recompute(honest, round1, { [share]: honest.files.get(honest.pathOf('share', 7, 'delta')) });
    expect(problems(other)[0]).toContain('these are the bytes of the decryption share of "delta" for sum 7');
  });

  it('also where it is only on the way to the model of the chosen round', async () => {
    const path = honest.pathOf('sum', 6);
    const report = await folders.recompute(honest, { of: 'round', round: 2 }, { [path]: flipped(honest.files.get(path)!) });
    expect(report.verdict).toBe('does-not-hold');
    expect(report.sums.map(({ sum, outcome, unchecked }) => ({ sum, outcome, unchecked }))).toEqual([
      { sum: 6, outcome: 'fails', unchecked: undefined },
      { sum: 7, outcome: 'unchecked', unchecked: expect.stringContaining('the published sum 6') as string },
      { sum: 8, outcome: 'unchecked', unchecked: expect.stringContaining('the published sum 6') as string },
    ]);
  });
});

describe('what is not in the export', () => {
  it.each<['upload' | 'share' | 'sum', string]>([
    ['upload', 'alpha'],
    ['share', 'delta'],
    ['sum', ''],
  ])('is listed: %s %s', async (what, site) => {
    const path = honest.pathOf(what, 6, site);
    const report = await folders.recompute(honest, round1, { [path]: undefined });
    expect(report).toMatchObject({ verdict: 'could-not-check', sums: [{ outcome: 'unchecked', opened: false, missing: [{ path }] }] });
    expect(problems(report)).toEqual([]);
  });

  it('may be all objects: then nothing is claimed', async () => {
    const bare = new Map([...honest.files].filter(([path]) => !path.startsWith('objects/')));
    const report = await folders.recompute({ files: bare }, { of: 'all' });
    expect(report.verdict).toBe('could-not-check');
    expect(report.sums[0]!.missing[0]!.what).toContain('the plan');
  });
});

describe('a ledger that does not hold', () => {
  it('is not recomputed from', async () => {
    const payload = [...honest.files.keys()].find((path) => path.startsWith('payloads/'))!;
    const report = await folders.recompute(honest, round1, { [payload]: flipped(honest.files.get(payload)!) });
    expect(report).toMatchObject({ verdict: 'does-not-hold', sums: [] });
    expect(report.summary).toContain('nothing was recomputed');
  });
});
