import { freezeContext } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { formatTlogProof, parseTlogProof } from '../receipt/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import type { CheckId } from './index.js';
import { LyingLog } from './lying-log.fixture.js';
import { CONSORTIUM, SITES, append, identityOf, modelAfter, sampleLedger } from './sample-ledger.fixture.js';
import { failing, other, policy, problems, verifyFiles } from './verification.fixture.js';

const honest = () => new LyingLog(sampleLedger());
const freezeOf = (log: LyingLog, sum: number) => log.find('round-frozen', (frozen) => frozen.sum === sum);
const resultOf = (log: LyingLog, sum: number) => log.find('aggregate', (aggregate) => aggregate.sum === sum);
const uploadOf = (log: LyingLog, site: string, sum: number) =>
  log.find('contribution', (upload) => upload.site === site && upload.sum === sum);

/** Freezes another set for a sum, with the T that belongs to it, also in the result. */
function freezeAnew(
  log: LyingLog,
  sum: number,
  counted: { site: string; merkleRoot: string }[],
  excluded: { site: string; reason: 'late' }[] = [],
): LyingLog {
  const t = freezeContext(log.predicate('round-frozen', freezeOf(log, sum)).k, counted);
  log.rewrite('round-frozen', freezeOf(log, sum), () => ({ counted, excluded, t }));
  return log.rewrite('aggregate', resultOf(log, sum), () => ({ t }));
}

const countedIn = (log: LyingLog, sum: number) => log.predicate('round-frozen', freezeOf(log, sum)).counted;

/** name, what the log does, the check that finds it, which entry it names, and a part of what it says of that. */
type Lie = [string, (log: LyingLog) => void, CheckId, (log: LyingLog) => number, string];

describe('a log that lies about who contributed', () => {
  const lies: Lie[] = [
    [
      'counts a site twice in one set',
      (log) => freezeAnew(log, 6, [countedIn(log, 6)[0]!, ...countedIn(log, 6)]),
      'counted-sets',
      (log) => freezeOf(log, 6),
      'counts "alpha" twice',
    ],
    [
      'freezes a sum twice, with another set',
      (log) => {
        const frozen = log.predicate('round-frozen', freezeOf(log, 6));
        const counted = frozen.counted.slice(1);
        log.insert(freezeOf(log, 6) + 1, 'round-frozen', { ...frozen, counted, t: freezeContext(frozen.k, counted) });
      },
      'counted-sets',
      (log) => freezeOf(log, 6) + 1,
      'sum 6 of run',
    ],
    [
      'freezes a sum again after it had its result',
      (log) => {
        const frozen = log.predicate('round-frozen', freezeOf(log, 6));
        log.insert(resultOf(log, 6) + 1, 'round-frozen', { ...frozen, excluded: [{ site: 'echo', reason: 'late' }] });
      },
      'counted-sets',
      (log) => resultOf(log, 6) + 1,
      'was frozen before, with other content',
    ],
    [
      'publishes two results of one sum',
      (log) => {
        const result = log.predicate('aggregate', resultOf(log, 6));
        log.insert(resultOf(log, 7), 'aggregate', { ...result, sumObject: other });
      },
      'models',
      (log) => log.find('aggregate', ({ sumObject }) => sumObject === other),
      'sum 6 has two results',
    ],
    [
      'counts the upload of one sum under another',
      (log) => freezeAnew(log, 7, [countedIn(log, 6)[0]!, ...countedIn(log, 7).slice(1)]),
      'contributions',
      (log) => freezeOf(log, 7),
      'the upload of "alpha" is counted, but not signed by it for this sum',
    ],
    [
      'leaves out a site in silence',
      (log) => freezeAnew(log, 6, countedIn(log, 6).slice(0, 3)),
      'counted-sets',
      (log) => freezeOf(log, 6),
      '"delta" is neither counted nor named with a reason',
    ],
    [
      'calls a site late whose upload stands before the freeze',
      (log) => freezeAnew(log, 6, countedIn(log, 6).slice(0, 3), [{ site: 'delta', reason: 'late' }]),
      'contributions',
      (log) => freezeOf(log, 6),
      '(contribution)), and it is called "late" instead of counted',
    ],
    [
      'calls a site late and leaves out its upload: the others have signed that it was counted',
      (log) => {
        freezeAnew(log, 6, countedIn(log, 6).slice(0, 3), [{ site: 'delta', reason: 'late' }]);
        log.drop(uploadOf(log, 'delta', 6));
      },
      'certificates',
      (log) => resultOf(log, 6),
      '0 sites attested this counted set; 3 must',
    ],
    [
      'leaves out also what the others have signed',
      (log) => {
        freezeAnew(log, 6, countedIn(log, 6).slice(0, 3), [{ site: 'delta', reason: 'late' }]);
        log.drop(uploadOf(log, 'delta', 6));
        for (const site of SITES.slice(0, 3)) log.drop(log.find('attestation', ({ sums, site: by }) => by === site && sums[0]!.sum === 6));
      },
      'certificates',
      (log) => resultOf(log, 6),
      'the attestation of "alpha" is not recorded before it',
    ],
    [
      'drops an upload that it counts',
      (log) => log.drop(uploadOf(log, 'bravo', 6)),
      'contributions',
      (log) => freezeOf(log, 6),
      'the upload of "bravo" is counted, but not signed',
    ],
    [
      'credits a round too many when it closes the run',
      (log) =>
        log.rewrite('run-closed', log.find('run-closed'), ({ contributions }) => ({
          contributions: contributions.with(3, { site: 'delta', updates: 2 }),
        })),
      'totals',
      (log) => log.find('run-closed'),
      'it says 2 contributions of "delta"; 1 are recorded',
    ],
    [
      'goes on in a run that it has closed',
      (log) => log.move(log.find('run-closed'), resultOf(log, 7)),
      'totals',
      (log) => resultOf(log, 7),
      'comes after run',
    ],
    [
      'starts a round from a model of its own',
      (log) => log.rewrite('aggregate', resultOf(log, 6), () => ({ modelOut: other })),
      'models',
      (log) => resultOf(log, 7),
      `it starts from model ${modelAfter(1)}, but the sum before left ${other}`,
    ],
  ];

  it.each(lies)('%s', async (_, lie, id, index, message) => {
    const log = honest();
    lie(log);
    const report = await verifyFiles(await log.files());
    expect(failing(report)).toContain(id);
    const named = problems(report, id).filter((problem) => problem.startsWith(`entry ${index(log)} (`));
    expect(named.join('\n')).toContain(message);
  });
});

describe('a log that puts an act before what it needs', () => {
  const lies: Lie[] = [
    [
      'a result before a share that it names',
      (log) => log.move(resultOf(log, 6) - 1, resultOf(log, 6)),
      'shares',
      (log) => resultOf(log, 6),
      'the decryption share of "charlie" is not recorded before it',
    ],
    [
      'a freeze before an upload that it counts',
      (log) => log.move(uploadOf(log, 'delta', 6), freezeOf(log, 6)),
      'contributions',
      (log) => freezeOf(log, 6),
      'the upload of "delta" is counted, but not signed',
    ],
    [
      'a share before the freeze',
      (log) =>
        log.move(
          log.find('share', ({ sum }) => sum === 6),
          freezeOf(log, 6),
        ),
      'shares',
      (log) => log.find('share', ({ sum }) => sum === 6),
      'released a share for a set that was not frozen',
    ],
    [
      'a key epoch before a site has signed it',
      (log) =>
        log.move(
          log.find('key-epoch'),
          log.find('epoch-agreed', ({ site }) => site === 'delta'),
        ),
      'key-epochs',
      (log) => log.find('key-epoch'),
      '"delta" has not signed E',
    ],
    [
      'a run before a site has approved it',
      (log) =>
        log.move(
          log.find('run-opened'),
          log.find('plan-approved', ({ site }) => site === 'delta'),
        ),
      'runs',
      (log) => log.find('run-opened'),
      '"delta" had not approved run 1',
    ],
    [
      'a plan after the run that was made of it',
      (log) => log.move(log.find('plan-published'), log.find('run-opened')),
      'runs',
      (log) => log.find('run-opened'),
      'was never published',
    ],
    [
      'an act of a site before its enrolment',
      (log) =>
        log.move(
          log.find('site-enrolled', ({ site }) => site === 'alpha'),
          log.find('plan-approved', ({ site }) => site === 'alpha'),
        ),
      'signatures',
      (log) => log.find('plan-approved', ({ site }) => site === 'alpha'),
      '"alpha" has no enrolled key at this point',
    ],
  ];

  it.each(lies)('is found out: %s', async (_, lie, id, index, message) => {
    const log = honest();
    lie(log);
    const named = problems(await verifyFiles(await log.files()), id).filter((problem) => problem.startsWith(`entry ${index(log)} (`));
    expect(named.join('\n')).toContain(message);
  });
});

describe('a log that rewrites its past, with everything signed anew', () => {
  const echo = { consortium: CONSORTIUM, site: 'echo', identityKey: bytesToHex(identityOf('echo').publicKey), certificate: other };
  const rewritings: [string, (log: LyingLog) => void, string][] = [
    ['back-dates an enrolment', (log) => log.insert(5, 'site-enrolled', echo), 'entry 5 is the first: by that copy, it was inserted'],
    [
      'changes the name of a plan',
      (log) => log.rewrite('plan-published', 5, () => ({ name: 'Another name' })),
      'entry 5 is the first: by that copy, it was changed',
    ],
    ['drops an entry', (log) => log.drop(30), 'entry 30 is the first: by that copy, it was removed'],
    ['swaps two entries', (log) => log.move(20, 21), 'entry 20 is the first: by that copy, it was logged as entry 21'],
    [
      'moves the approval of a site to before the others',
      (log) => log.move(9, 6),
      'entry 6 is the first: by that copy, it was logged as entry 9',
    ],
    ['repeats an entry', (log) => repeat(log, 40), 'entry 41 is the first: by that copy, it repeats entry 40'],
  ];

  it.each(rewritings)('%s: an earlier checkpoint shows it, an earlier copy shows where', async (_, rewrite, first) => {
    const log = honest();
    const [before, copy] = [log.checkpoint(100), await log.files(100)];
    rewrite(log);
    const files = await log.files();
    const seen = await verifyFiles(files, { policy, earlier: before });
    expect(failing(seen)).toContain('extends');
    expect(problems(seen, 'extends')[0]).toContain('the first 100 entries are not those that it committed to');
    const known = await verifyFiles(files, { policy, earlier: { checkpoint: before, read: (path) => copy.get(path) } });
    expect(problems(known, 'extends')[0]).toContain(first);
  });

  it('keeps a log that goes on as it was from being suspected', async () => {
    const log = honest();
    const [before, copy] = [log.checkpoint(), await log.files()];
    log.insert(log.entries.length, 'site-enrolled', echo);
    const earlier = { checkpoint: before, read: (path: string) => copy.get(path) };
    expect((await verifyFiles(await log.files(), { policy, earlier })).verdict).toBe('holds');
  });

  it('cannot get rid of an entry for which a site has a receipt', async () => {
    const log = honest();
    const index = uploadOf(log, 'delta', 6);
    const proof = new MerkleTree(log.entries.map(leafHash)).inclusionProof(BigInt(index), 100n);
    const receipt = formatTlogProof({ index: BigInt(index), entry: log.entries[index]!, proof, checkpoint: log.checkpoint(100) });
    log.drop(index);
    const report = await verifyFiles(await log.files(), { policy, earlier: parseTlogProof(receipt).checkpoint });
    expect(failing(report)).toEqual(expect.arrayContaining(['extends', 'contributions']));
  });

  it('that back-dates what nothing contradicts is found by an earlier checkpoint only', async () => {
    const log = honest();
    log.insert(5, 'site-enrolled', echo);
    expect((await verifyFiles(await log.files())).verdict).toBe('holds');
  });
});

function repeat(log: LyingLog, index: number): void {
  log.entries.splice(index, 0, log.entries[index]!);
  log.payloads.splice(index, 0, log.payloads[index]!);
  log.names.splice(index, 0, log.names[index]!);
}

describe('an approval that came too late', () => {
  it('cannot be moved to before the run was opened', async () => {
    const log = new LyingLog(sampleLedger(undefined, 1, 0, ['echo']));
    const opened = log.find('run-opened');
    const { plan, ordinal, sites } = log.predicate('plan-approved', log.find('plan-approved'));
    append(log, 'plan-approved', { consortium: CONSORTIUM, site: 'echo', plan, ordinal, sites }, identityOf('echo'));
    expect(failing(await verifyFiles(await log.files()))).toEqual([]);
    log.move(log.entries.length - 1, opened);
    const report = await verifyFiles(await log.files());
    expect(problems(report, 'runs')[0]).toContain(
      `entry ${opened + 1} (run-opened): "echo" had approved run 1 of this plan, but the run was opened without it`,
    );
  });
});
