import { describe, expect, it } from 'vitest';
import { LyingLog } from './lying-log.fixture.js';
import { type Forgery, append, identityOf, sampleLedger } from './sample-ledger.fixture.js';
import type { VerificationReport } from './verification.report.js';
import { failing, other, policy, verifyFiles } from './verification.fixture.js';

/** Round 2 was frozen over alpha, bravo and charlie; with everybody's approval it was made over alpha, bravo and delta. */
const changed = (forge?: Forgery) => new LyingLog(sampleLedger(forge, 2, 0, [], 2));
const verified = async (log: LyingLog) => verifyFiles(await log.files(), { policy });
const problems = ({ checks }: VerificationReport) =>
  checks.flatMap((check) => check.problems.map(({ where, problem }) => `${where}: ${problem}`));
const proposalOf = (log: LyingLog) => log.find('new-set-proposed');
const approvalOf = (log: LyingLog, site: string) => log.find('new-set-approved', (approval) => approval.site === site);
const freezeOf = (log: LyingLog, sum: number) => log.find('round-frozen', (frozen) => frozen.sum === sum);

const forging =
  (site: string, change: object): Forgery =>
  (name, predicate) =>
    name === 'new-set-approved' && (predicate as { site: string }).site === site ? { ...predicate, ...change } : predicate;
const proposing =
  (change: object): Forgery =>
  (name, predicate) =>
    name === 'new-set-proposed' ? { ...predicate, ...change } : predicate;

it('accepts a second set behind a proposal and the approval of everybody concerned, and says so', async () => {
  const report = await verified(changed());
  expect(problems(report)).toEqual([]);
  expect(report.checks.find(({ id }) => id === 'one-set')?.detail).toMatch(/1 replaced with the approval of everybody concerned/);
});

describe('a second set', () => {
  const leftOut: Forgery = (name, predicate) => (name === 'new-set-proposed' ? undefined : predicate);
  /** what the log does, and a part of what is said of it */
  const lies: [string, () => LyingLog, string][] = [
    ['without a proposal', () => changed(leftOut), 'no proposal in the log leads to it'],
    [
      'with one approval missing',
      () => withoutEntry((log) => approvalOf(log, 'charlie')),
      'charlie had not approved the proposal in entry',
    ],
    ['approved after its freeze', () => moved('delta'), 'delta had not approved the proposal in entry'],
    [
      'with an approval of another proposal',
      () => changed(forging('delta', { proposal: other })),
      '"delta" approves a set that nobody has proposed',
    ],
    [
      'with an approval of other sets',
      () => changed(forging('delta', { after: ['alpha', 'charlie', 'delta'] })),
      'what "delta" approves is not what entry',
    ],
    ['with an approval of another sum', () => changed(forging('delta', { sum: 6 })), 'what "delta" approves is not what entry'],
    [
      'whose proposal does not ask a signer',
      () => changed(proposing({ approvers: ['bravo', 'charlie', 'delta'] })),
      '"alpha" is concerned and is not asked',
    ],
    [
      'whose proposal does not ask who is in the difference',
      () => changed(proposing({ approvers: ['alpha', 'bravo', 'charlie'] })),
      '"delta" is concerned and is not asked',
    ],
    [
      'whose proposal starts from another set',
      () => changed(proposing({ before: ['alpha', 'charlie', 'delta'] })),
      'which is not the set in force for update',
    ],
    ['whose proposal is for another model', () => changed(proposing({ modelIn: other })), 'which is not the set in force for update'],
    ['whose proposal is for another kind', () => changed(proposing({ kind: 'evaluate' })), 'which is not the set in force for evaluate'],
    [
      'whose proposal has another T',
      () => changed(proposing({ t: other })),
      'no sum was frozen over the set that it starts from with its T',
    ],
    ['whose proposal is of no key epoch', () => changed(proposing({ e: other })), 'it is in no key epoch of run'],
    [
      'whose proposal leads elsewhere',
      () => changed(proposing({ after: ['alpha', 'charlie', 'delta'] })),
      'no proposal in the log leads to it',
    ],
    ['too small', () => changed(proposing({ after: ['alpha', 'bravo'] })), '2 sites are proposed; the run requires 3'],
    [
      'with a stranger',
      () => changed(proposing({ after: ['alpha', 'bravo', 'echo'] })),
      '"echo" of the proposed set is not in this key epoch',
    ],
    ['that is unsorted', () => changed(proposing({ after: ['bravo', 'alpha', 'delta'] })), 'a list of it is not sorted'],
  ];

  it.each(lies)('%s is refused', async (_, lie, said) => {
    const report = await verified(lie());
    expect(failing(report)).toContain('one-set');
    expect(problems(report).join('\n')).toContain(said);
  });

  it('does not let anybody sign the first one again', async () => {
    const log = changed();
    const first = log.find('attestation', ({ site, sums }) => site === 'alpha' && sums[0]!.sum === 7);
    append(log, 'attestation', { ...log.predicate('attestation', first), site: 'delta' }, identityOf('delta'));
    log.move(log.entries.length - 1, freezeOf(log, 8) + 1);
    expect(problems(await verified(log)).join('\n')).toMatch(/"delta" attests another set of sites than entry/);
  });

  it('asks who has signed the first one since it was proposed', async () => {
    const log = new LyingLog(sampleLedger(proposing({ approvers: ['alpha', 'bravo', 'charlie', 'delta'] }), 2, 0, [], 2));
    expect(problems(await verified(log))).toEqual([]);
    const share = log.find('attestation', ({ site, sums }) => site === 'alpha' && sums[0]!.sum === 7);
    const short = new LyingLog(sampleLedger(proposing({ approvers: ['bravo', 'charlie', 'delta'] }), 2, 0, [], 2));
    short.move(share, proposalOf(short) + 1);
    expect(problems(await verified(short)).join('\n')).toMatch(/alpha signed the earlier set and was not asked in entry/);
  });
});

function withoutEntry(entry: (log: LyingLog) => number): LyingLog {
  const log = changed();
  return log.drop(entry(log));
}

function moved(site: string): LyingLog {
  const log = changed();
  return log.move(approvalOf(log, site), freezeOf(log, 8) + 1);
}
