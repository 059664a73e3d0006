import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { vectorShape } from '@coferment/consortium';
import { ciphertextBlockSpan, coefficientCount, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyOfLogKey } from '../policy/index.js';
import { LOG_KEY } from '../verify/sample-ledger.fixture.js';
import { forging } from '../verify/verification.fixture.js';
import { recomputeExport, type RecomputationReport, type SumChoice } from './index.js';
import { parameters, PLAN, type RealLedger, type RealLies, realLedger, RUN, SITES } from './real-ledger.fixture.js';

const policy = policyOfLogKey(LOG_KEY);
const scratch = mkdtempSync(join(tmpdir(), 'recompute-'));
/** Bytes of the first block of an update. */
const FIRST_BLOCK = ciphertextBlockSpan(0, coefficientCount(vectorShape(PLAN, 'update'), parameters), parameters).length;
const folders = new Map<ReadonlyMap<string, Uint8Array>, string>();
let honest: RealLedger;

beforeAll(async () => {
  await loadCrypto();
  honest = await realLedger();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The folder of these files, written once. */
function folderOf(files: ReadonlyMap<string, Uint8Array>): string {
  const known = folders.get(files);
  if (known !== undefined) return known;
  const folder = join(scratch, `${folders.size}`);
  folders.set(files, folder);
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

/** Recomputes with some files changed (undefined: removed), and puts them back. */
async function recompute(
  { files }: Pick<RealLedger, 'files'>,
  choice: SumChoice,
  changes: Readonly<Record<string, Uint8Array | undefined>> = {},
): Promise<RecomputationReport> {
  const folder = folderOf(files);
  for (const [path, bytes] of Object.entries(changes)) {
    if (bytes === undefined) rmSync(join(folder, path));
    else writeFileSync(join(folder, path), bytes);
  }
  try {
    return await recomputeExport(folder, { policy, choice });
  } finally {
    for (const path of Object.keys(changes)) writeFileSync(join(folder, path), files.get(path)!);
  }
}

const lying = async (lies: RealLies, choice: SumChoice) => recompute(await realLedger(lies), choice);
const problems = (report: RecomputationReport) =>
  report.sums.flatMap(({ problems: found }) => found.map(({ where, problem }) => `${where}: ${problem}`));
const round1: SumChoice = { of: 'round', round: 1 };
/** One bit in the middle. */
function flipped(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[changed.length >> 1]! ^= 1;
  return changed;
}

describe('an honest ledger with objects', () => {
  it('is recomputed whole, bit for bit, with the models that its sites had', async () => {
    const report = await recompute(honest, { of: 'all' });
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
    const report = await recompute(honest, { of: 'sum', sum: 7, run: RUN }, without);
    expect(report).toMatchObject({
      verdict: 'holds',
      sums: [{ sum: 7, counted: ['alpha', 'bravo', 'charlie'], modelOut: honest.models[2] }],
    });
  });

  it('without a key from outside is only consistent with itself', async () => {
    expect(await recomputeExport(folderOf(honest.files), { choice: round1 })).toMatchObject({
      verdict: 'self-consistent',
      sums: [{ outcome: 'holds' }],
    });
  });

  it.each<[SumChoice, RegExp]>([
    [{ of: 'round', round: 9 }, /no published sum of round 9/],
    [{ of: 'sum', sum: 99, run: RUN }, /no published sum with the number 99 of r1-/],
    [{ of: 'all', run: 'r9-0000000000000000' }, /no run "r9-0000000000000000"; it has r1-/],
  ])('has nothing to recompute for %j', async (choice, message) => {
    await expect(recompute(honest, choice)).rejects.toThrow(message);
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
    const report = await recompute(honest, round1, { [path]: flipped(honest.files.get(path)!) });
    expect(report.verdict).toBe('does-not-hold');
    expect(problems(report)).toEqual([expect.stringMatching(message)]);
    expect(problems(report)[0]).toContain(path);
  });

  it('of another length', async () => {
    const path = honest.pathOf('upload', 6, 'alpha');
    const report = await recompute(honest, round1, { [path]: honest.files.get(path)!.slice(1) });
    expect(problems(report)[0]).toMatch(/It has \d+ bytes; it must have \d+/);
  });

  it('when two sites are swapped, or another round stands in its place', async () => {
    const [alpha, bravo] = ['alpha', 'bravo'].map((site) => honest.pathOf('upload', 6, site)) as [string, string];
    const swapped = await recompute(honest, round1, { [alpha]: honest.files.get(bravo), [bravo]: honest.files.get(alpha) });
    expect(problems(swapped)).toEqual([
      expect.stringContaining('the upload of "alpha" is not what was signed: these are the bytes of the upload of "bravo" to sum 6'),
      expect.stringContaining('these are the bytes of the upload of "alpha" to sum 6'),
    ]);
    const share = honest.pathOf('share', 6, 'delta');
    const other = await recompute(honest, round1, { [share]: honest.files.get(honest.pathOf('share', 7, 'delta')) });
    expect(problems(other)[0]).toContain('these are the bytes of the decryption share of "delta" for sum 7');
  });

  it('also where it is only on the way to the model of the chosen round', async () => {
    const path = honest.pathOf('sum', 6);
    const report = await recompute(honest, { of: 'round', round: 2 }, { [path]: flipped(honest.files.get(path)!) });
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
    const report = await recompute(honest, round1, { [path]: undefined });
    expect(report).toMatchObject({ verdict: 'could-not-check', sums: [{ outcome: 'unchecked', opened: false, missing: [{ path }] }] });
    expect(problems(report)).toEqual([]);
  });

  it('may be all objects: then nothing is claimed', async () => {
    const bare = new Map([...honest.files].filter(([path]) => !path.startsWith('objects/')));
    const report = await recompute({ files: bare }, { of: 'all' });
    expect(report.verdict).toBe('could-not-check');
    expect(report.sums[0]!.missing[0]!.what).toContain('the plan');
  });
});

describe('a ledger that does not hold', () => {
  it('is not recomputed from', async () => {
    const payload = [...honest.files.keys()].find((path) => path.startsWith('payloads/'))!;
    const report = await recompute(honest, round1, { [payload]: flipped(honest.files.get(payload)!) });
    expect(report).toMatchObject({ verdict: 'does-not-hold', sums: [] });
    expect(report.summary).toContain('nothing was recomputed');
  });
});

/** All of these ledgers verify: every signature holds, and only the stored uploads and shares contradict them. */
describe('a coordinator or member that lies in its signed statements', () => {
  const expectVerified = (report: RecomputationReport) =>
    expect(report.ledger.checks.filter(({ outcome }) => outcome === 'fails')).toEqual([]);

  it('is found when one coefficient of the sum was published otherwise', async () => {
    const published: RealLies['published'] = (sum, coefficients) =>
      sum === 6 ? coefficients.map((word, index) => (index === 1100 ? word + 1n : word)) : coefficients;
    const report = await lying({ published }, round1);
    expectVerified(report);
    expect(report.verdict).toBe('does-not-hold');
    expect(problems(report)).toEqual([
      expect.stringMatching(
        /entry \d+ \(aggregate\), objects\/[0-9a-f]{64}: coefficient 1100 \(block 1\) was published as \d+; .* open to \d+/,
      ),
    ]);
  });

  it('is found when the shares were made for a set with one site less or more than counted', async () => {
    const addedBy: RealLies['addedBy'] = (_, sum, counted) => (sum === 6 ? counted.slice(1) : counted);
    const report = await lying({ addedBy }, round1);
    expectVerified(report);
    expect(problems(report)).toEqual([expect.stringContaining('do not open to any sum')]);
  });

  it('is named where more than enough shares show whose is wrong', async () => {
    const addedBy: RealLies['addedBy'] = (holder, sum, counted) => (sum === 6 && holder === 'delta' ? counted.slice(1) : counted);
    const report = await lying({ addedBy }, round1);
    expectVerified(report);
    expect(problems(report)).toEqual([expect.stringMatching(/^entry \d+ \(share\), objects\/.*the decryption share of "delta" is wrong/)]);
  });

  it('is noticed but not named with one share more than needed', async () => {
    const report = await lying(
      {
        holders: () => ['alpha', 'bravo', 'delta'],
        addedBy: (holder, sum, counted) => (sum === 6 && holder === 'delta' ? counted.slice(1) : counted),
      },
      round1,
    );
    expectVerified(report);
    expect(problems(report)).toEqual([expect.stringContaining('the 3 decryption shares do not fit together')]);
  });

  it('opens honestly with exactly the threshold of shares', async () => {
    const report = await lying({ holders: () => ['bravo', 'delta'] }, { of: 'all' });
    expect(report.verdict).toBe('holds');
    expect(report.sums[5]).toMatchObject({ holders: ['bravo', 'delta'], threshold: 2 });
  });

  it.each<[string, RealLies, SumChoice, RegExp]>([
    [
      'signs another model than the sum gives',
      { modelOut: (sum, model) => (sum === 6 ? 'a'.repeat(64) : model) },
      round1,
      /\(aggregate\): it names the model a{64}; from its sum follows [0-9a-f]{64}$/,
    ],
    [
      'lets a round start from another model',
      { modelOut: (sum, model) => (sum === 6 ? 'a'.repeat(64) : model) },
      { of: 'sum', sum: 7 },
      /\(round-frozen\): it starts from the model a{64}; the sums before it lead to [0-9a-f]{64}$/,
    ],
    [
      'signs another evaluation, by the last bit',
      { forge: forging('evaluation', () => ({ value: 2.0000000000000004 })) },
      { of: 'sum', sum: 8 },
      /\(evaluation\): it says 2\.0000000000000004; the sum gives 2$/,
    ],
    [
      'signs for other holdout rows',
      { forge: forging('evaluation', () => ({ holdoutCount: 9 })) },
      { of: 'sum', sum: 8 },
      /it says 9 holdout rows; the sum has 8/,
    ],
    [
      'signs for an object and for the Merkle root of another',
      {
        forge: forging(
          'share',
          () => ({ merkleRoot: 'b'.repeat(64) }),
          ({ sum, site }) => sum === 6 && site === 'bravo',
        ),
      },
      round1,
      /\(share\), objects\/.*the decryption share of "bravo" is not what was signed: .* its site signed b{64}$/,
    ],
    [
      'signs for another number of blocks',
      {
        forge: forging(
          'share',
          () => ({ blocks: 3 }),
          ({ sum, site }) => sum === 6 && site === 'bravo',
        ),
      },
      round1,
      /"bravo" signed for 3 blocks; this sum has 2$/,
    ],
    [
      'publishes a confirmation of no key',
      { published: (sum, words) => (sum === 2 ? words.map((word, index) => (index === 5 ? word ^ 1n : word)) : words) },
      { of: 'sum', sum: 2 },
      /\(aggregate\): the sum is not the public vector of "bravo", which confirms its key$/,
    ],
    [
      'publishes a sum that no sites can have',
      { published: (sum, words) => (sum === 8 ? words.map((word, index) => (index === words.length - 1 ? 1n : word)) : words) },
      { of: 'sum', sum: 8 },
      /\(aggregate\): no honest sites have such a sum: The check coefficient is 1 instead of 0/,
    ],
    [
      'counts an upload that no encryption gives',
      {
        uploaded: (sum, site, bytes) => (sum === 6 && site === 'bravo' ? bytes.map((byte, at) => (at < FIRST_BLOCK ? 255 : byte)) : bytes),
      },
      round1,
      /^entry \d+ \(contribution\), objects\/[0-9a-f]{64}: the upload of "bravo" is none that an honest site makes: /,
    ],
    [
      'counts an upload that was changed before it was signed',
      { uploaded: (sum, site, bytes) => (sum === 6 && site === 'bravo' ? flipped(bytes) : bytes) },
      round1,
      /coefficient \d+ \(block \d\) was published as|do not open to any sum/,
    ],
    [
      'gives sites another weight rule',
      { input: (sum, input) => (sum === 6 ? { ...input, weightRule: '{"by":"samples","cap":1}' } : input) },
      round1,
      /\(round-frozen\): its weight rule \{"by":"samples","cap":1\} is not \{"by":"samples","cap":\d+\}$/,
    ],
    [
      'gives sites another normalisation',
      { input: (sum, input) => (sum === 6 ? { ...input, normalisation: 'c'.repeat(64) } : input) },
      round1,
      /its normalisation c{64} does not follow from the statistics sum$/,
    ],
    [
      'gives sites other ranges',
      { input: (sum, input) => (sum === 7 ? { ...input, ranges: 'd'.repeat(64) } : input) },
      { of: 'sum', sum: 7 },
      /its ranges d{64} do not follow from the sums before it$/,
    ],
    [
      'never enters the evaluation of a closed run',
      { forge: forging('evaluation', () => undefined) },
      { of: 'round', round: 2 },
      /\(aggregate\): its evaluation, 2, was never entered in the ledger$/,
    ],
  ])('is found when it %s', async (_, lies, choice, message) => {
    const report = await lying(lies, choice);
    expectVerified(report);
    expect(problems(report)).toContainEqual(expect.stringMatching(message));
    expect(report.verdict).toBe('does-not-hold');
  });
});
