import { vectorShape } from '@coferment/consortium';
import { ciphertextBlockSpan, coefficientCount, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LyingLog } from '../verify/lying-log.fixture.js';
import { exportSample } from '../verify/sample-ledger.fixture.js';
import { forging } from '../verify/verification.fixture.js';
import type { RecomputationReport, SumChoice } from './index.js';
import { parameters, PLAN, type RealLies, realLedger } from './real-ledger.fixture.js';
import { flipped, LedgerFolders, problems, round1 } from './recomputation.fixture.js';

/** Bytes of the first block of an update. */
const FIRST_BLOCK = ciphertextBlockSpan(0, coefficientCount(vectorShape(PLAN, 'update'), parameters), parameters).length;
const folders = new LedgerFolders();

beforeAll(loadCrypto);
afterAll(() => folders.remove());

const lying = async (lies: RealLies, choice: SumChoice) => folders.recompute(await realLedger(lies), choice);

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

  it('is found in each of several evaluations of one sum, also before the true one', async () => {
    const honest = await realLedger();
    const log = new LyingLog(honest.log);
    const at = log.find('evaluation');
    log.insert(at, 'evaluation', { ...log.predicate('evaluation', at), metric: 'mae', value: 0.001 });
    const objects = [...honest.files].filter(([path]) => path.startsWith('objects/'));
    const report = await folders.recompute({ files: new Map([...(await exportSample(log)), ...objects]) }, { of: 'sum', sum: 8 });
    expectVerified(report);
    expect(problems(report)).toEqual([`entry ${at} (evaluation): it gives the mae of a sum of kind evaluate`]);
  });
});
