import { peekStatement, setDigest } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, loadCrypto } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AgentError } from '../agent.error.js';
import { MOST_PROPOSALS_OF_A_RUN } from '../journal/new-sets.repository.js';
import type { FrozenSum } from '../connection/instruction.parser.js';
import { newSetText } from '../status/new-set.text.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { approvalsOf, approveBy, digestOf, forgedApproval, proposalFor, type Proposed } from './new-set.fixture.js';
import { approveNewSet } from './new-set.handlers.js';
import { openConsortium } from './opened.consortia.fixture.js';
import { attest, releaseShare } from './opening.handlers.js';
import { requireKnownConcerned } from './set.change.js';

beforeAll(loadCrypto);

const FIVE = ['a', 'b', 'c', 'd', 'e'];
const FIRST = ['a', 'b', 'c', 'd'];
const SECOND = ['a', 'b', 'c', 'e'];
const THIRD = ['a', 'b', 'd', 'e'];
const SIGNERS = ['a', 'b'];
/** d and e are in one of the two sets only. */
const CONCERNED = ['a', 'b', 'd', 'e'];

const code = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    (outcome) => JSON.stringify(outcome),
    (error: unknown) => (error as AgentError).code,
  );

let consortium: ScriptedConsortium;
let first: FrozenSum;
let second: FrozenSum;

/** Sum 7 is frozen over a, b, c and d; a and b have signed it. Sum 8, from the same model, is frozen with e in the place of d. */
async function open(): Promise<void> {
  consortium = openConsortium(FIVE, 1);
  await consortium.toRounds();
  first = await consortium.contribute(consortium.name('update', 7, 1), FIRST);
  for (const site of SIGNERS) await attest(consortium.member(site), { sums: [first] });
  second = await consortium.contribute(consortium.name('update', 8, 1), SECOND);
}

const behind = (proposal: DsseEnvelope, approvals: readonly DsseEnvelope[], sum = second): FrozenSum => ({
  ...sum,
  newSet: [proposal, ...approvals],
});
const signs = (site: string, frozen: FrozenSum) => code(attest(consortium.member(site), { sums: [frozen] }));
const shown = (site: string, proposal: DsseEnvelope) => code(approveNewSet(consortium.member(site), { run: consortium.run, proposal }));
const approvalsFrom = (site: string) =>
  consortium.board.all('new-set-approved').filter((act) => (peekStatement(act).predicate as { site: string }).site === site);

describe('a second set from one model', () => {
  beforeEach(open);

  it('is signed behind the approval of everybody concerned, opened and applied; the first is not signed again', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    const approvals = await approveBy(consortium, proposal, CONCERNED);
    expect(approvals).toHaveLength(4);
    const approved = behind(proposal, approvals);
    const certificate = await consortium.certify([approved]);
    expect(certificate).toHaveLength(5);
    const [a] = consortium.members;
    const { modelIn } = consortium.contextOf(second);
    expect(a!.journal.sets.inForce({ consortium: 'acme', kind: 'update', modelIn })?.sites).toEqual(SECOND);
    expect(a!.journal.sets.earlier({ consortium: 'acme', kind: 'update', modelIn }).map(({ sites }) => sites)).toEqual([FIRST]);
    for (const site of SIGNERS) expect(await signs(site, first)).toBe('set-changed');
    for (const site of ['c', 'd']) expect(await signs(site, first)).toBe('set-changed');
    await consortium.publish(await consortium.open(approved, certificate));
    for (const { journal } of consortium.members)
      expect(journal.models.progress(consortium.run)).toMatchObject({ appliedSum: 8, state: { round: 1 } });
    // Nobody trained a second time: what is summed is what was stored for the first set.
    for (const { trainer } of consortium.members) expect(trainer.trained).toBe(2);
  });

  it('is not signed by a signer of the first whom the operator left out, though all who were asked approved', async () => {
    const proposal = proposalFor(consortium, first, SECOND, { approvers: ['b', 'd', 'e'] });
    const approvals = await approveBy(consortium, proposal, ['b', 'd', 'e']);
    expect(await signs('a', behind(proposal, approvals))).toBe('set-unapproved');
    expect(await shown('a', proposal)).toBe('other-proposal');
    expect(await code(releaseShare(consortium.member('a'), { frozen: behind(proposal, approvals), certificate: [] }))).toBe(
      'set-unapproved',
    );
    expect(await signs('b', behind(proposal, approvals))).toContain('done');
  });

  it('is not approved by a site that knows another first set', async () => {
    const proposal = proposalFor(consortium, first, SECOND, { before: THIRD, approvers: FIVE });
    expect(await shown('a', proposal)).toBe('other-proposal');
    // Whoever never signed has nothing to hold against it; everybody asked would have to approve all the same.
    expect(await shown('e', proposal)).toContain('waiting');
    const approvals = FIVE.map((site) => forgedApproval(proposal, site, consortium.member(site).identity));
    // An approval with its own key that it does not remember: its folder was restored, or its key is stolen.
    expect(await signs('a', behind(proposal, approvals))).toBe('epoch-dead');
  });

  it('does not open a third: that takes a proposal from the second, and asks those whom the first concerned too', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    const approvals = await approveBy(consortium, proposal, CONCERNED);
    await consortium.certify([behind(proposal, approvals)]);
    const third = await consortium.contribute(consortium.name('update', 9, 1), THIRD);
    expect(await signs('a', behind(proposal, approvals, third))).toBe('other-proposal');
    expect(await shown('a', proposalFor(consortium, first, THIRD, { approvers: FIVE }))).toBe('other-proposal');
    // From the second set, and without e, whom the difference between the first and the third tells about.
    const short = proposalFor(consortium, second, THIRD, { approvers: ['a', 'b', 'c', 'd'] });
    expect(await shown('a', short)).toBe('approvers-short');
    const whole = proposalFor(consortium, second, THIRD);
    const all = await approveBy(consortium, whole, FIVE);
    expect(newSetText(consortium.member('a').journal.newSets.find(digestOf(whole))!)).toMatch(
      /only before: c; only after: e[^]*only before: c; only after: d/,
    );
    for (const site of FIVE) expect(await signs(site, behind(whole, all, third))).toContain('done');
    expect(await signs('a', behind(proposal, approvals))).toBe('set-changed');
  });

  it('asks whom the first concerned also where a restored journal knew of it the digest only', async () => {
    const e = consortium.member('e');
    const { modelIn } = consortium.contextOf(first);
    const key = { consortium: 'acme', kind: 'update' as const, modelIn };
    e.journal.sets.recall(key, setDigest(FIRST));
    const proposal = proposalFor(consortium, first, SECOND, { approvers: FIVE });
    const approvals = await approveBy(consortium, proposal, FIVE);
    expect(await signs('e', behind(proposal, approvals))).toContain('done');
    expect(e.journal.sets.earlier(key).map(({ sites }) => sites)).toEqual([FIRST]);
    // a and b are in all three sets: of three sums, more than differences can be worked out.
    for (const left of FIVE) {
      const approvers = FIVE.filter((site) => site !== left);
      expect(() => requireKnownConcerned(e, key, { before: SECOND, after: THIRD, approvers }), left).toThrow(
        expect.objectContaining({ code: 'approvers-short' }),
      );
    }
    requireKnownConcerned(e, key, { before: SECOND, after: THIRD, approvers: FIVE });
  });

  it('takes no third where the sites of the first are not known any more', () => {
    const e = consortium.member('e');
    const { modelIn } = consortium.contextOf(first);
    const key = { consortium: 'acme', kind: 'update' as const, modelIn };
    e.journal.sets.recall(key, setDigest(FIRST));
    e.journal.sets.recall(key, setDigest(SECOND));
    expect(() => requireKnownConcerned(e, key, { before: SECOND, after: THIRD, approvers: FIVE })).toThrow(
      expect.objectContaining({ code: 'set-changed' }),
    );
  });

  it('stays bound when the process is killed between the record and the sending', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    const approved = behind(proposal, await approveBy(consortium, proposal, CONCERNED));
    consortium.board.failing = true;
    expect(await signs('a', approved)).toBe('unreachable');
    consortium.board.failing = false;
    const a = consortium.restart('a');
    const before = consortium.board.acts.length;
    expect(await code(attest(a, { sums: [first] }))).toBe('set-changed');
    expect(consortium.board.acts).toHaveLength(before);
    expect(await code(attest(a, { sums: [approved] }))).toContain('done');
    // The same after the approval, before it is sent.
    expect(approvalsOf(consortium, proposal)).toHaveLength(4);
  });

  it('carries over into the next key epoch once the set is in force', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    const approvals = await approveBy(consortium, proposal, CONCERNED);
    for (const site of FIVE) await attest(consortium.member(site), { sums: [behind(proposal, approvals)] });
    await consortium.renew({ epoch: 2, firstSum: 9, leftOut: ['d'], holders: ['a', 'b', 'c', 'e'] });
    const again = await consortium.contribute(consortium.name('update', 13, 1), SECOND);
    for (const site of FIVE) expect(await signs(site, behind(proposal, approvals, again))).toContain('done');
  });
});

describe('the approval of another set', () => {
  beforeAll(open);

  it('waits for a person at the site, who is told what becomes readable, and is sent once', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    const d = consortium.member('d');
    expect(await shown('d', proposal)).toMatch(/waiting.*cannot complete over a, b, c, d.*over a, b, c, e instead.*sets approve/);
    expect(approvalsFrom('d')).toHaveLength(0);
    const text = newSetText(d.journal.newSets.all()[0]!);
    expect(text).toMatch(/only before: d; only after: e/);
    expect(text).toMatch(/whoever sees both sums can subtract them: what is left is the update of d and e, mixed with nobody else's\./);
    expect(text).toContain(`coferment-agent sets approve ${digestOf(proposal)}`);
    d.policy.set('schema: 1\nwhenAllHold: approve');
    expect(await shown('d', proposal)).toContain('waiting');
    expect(() => d.journal.newSets.decide('1'.repeat(64), 'approved', '')).toThrow(expect.objectContaining({ code: 'proposal-unknown' }));
    d.journal.newSets.decide(digestOf(proposal), 'rejected', 'not with us');
    expect(await shown('d', proposal)).toBe('set-rejected');
    expect(approvalsFrom('d')).toHaveLength(0);
    d.journal.newSets.decide(digestOf(proposal), 'approved', 'they asked again');
    expect(() => d.journal.newSets.decide(digestOf(proposal), 'rejected', '')).toThrow(
      expect.objectContaining({ code: 'proposal-decided' }),
    );
    for (let time = 0; time < 2; time++) expect(await shown('d', proposal)).toContain('done');
    expect(new Set(approvalsFrom('d').map(digestOf)).size).toBe(1);
  });

  it('is not shown without end', () => {
    const { journal } = consortium.member('c');
    const proposed = {
      run: `r9-${'0'.repeat(16)}`,
      sum: 1,
      kind: 'update' as const,
      modelIn: '1'.repeat(64),
      before: FIRST,
      after: SECOND,
      approvers: FIVE,
      earlier: [],
    };
    const show = (number: number) => journal.newSets.show({ ...proposed, proposal: number.toString(16).padStart(64, '0') });
    for (let number = 0; number < MOST_PROPOSALS_OF_A_RUN; number++) show(number);
    show(0);
    expect(() => show(MOST_PROPOSALS_OF_A_RUN)).toThrow(expect.objectContaining({ code: 'too-many-proposals' }));
  });

  it('is forbidden by the rule newSets, also to a person', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    const e = consortium.member('e');
    await shown('e', proposal);
    e.journal.newSets.decide(digestOf(proposal), 'approved', '');
    e.policy.set('schema: 1\nnewSets: refuse');
    expect(await shown('e', proposal)).toBe('policy-refused');
    expect(approvalsFrom('e')).toHaveLength(0);
  });

  it('is not given to a proposal of an earlier key epoch', async () => {
    const proposal = proposalFor(consortium, first, SECOND);
    await consortium.renew({ epoch: 2, firstSum: 9 });
    expect(await shown('c', proposal)).toContain('done');
    expect(approvalsFrom('c')).toHaveLength(0);
    expect(consortium.member('c').journal.newSets.find(digestOf(proposal))).toBeUndefined();
  });
});

/** Nothing is ever bound here, so that all of it is tried on the same sites. */
describe('a second set from one model', () => {
  beforeAll(open);

  it('is refused without approvals, by whoever signed the first and by whoever did not and was shown the first', async () => {
    for (const site of SIGNERS) expect(await signs(site, second)).toBe('set-changed');
    const proposal = proposalFor(consortium, first, SECOND);
    for (const site of FIVE) expect(await signs(site, behind(proposal, []))).toBe('approval-missing');
    for (const site of FIVE)
      expect(await code(releaseShare(consortium.member(site), { frozen: behind(proposal, []), certificate: [] }))).toBe('approval-missing');
  });

  it.each<[string, (proposal: DsseEnvelope, approvals: DsseEnvelope[]) => FrozenSum, string]>([
    ['one approval is missing', (proposal, approvals) => behind(proposal, approvals.slice(1)), 'approval-missing'],
    ['one is there twice', (proposal, approvals) => behind(proposal, [...approvals, approvals[0]!]), 'approved-twice'],
    [
      'one is forged',
      (proposal, approvals) =>
        behind(proposal, [...approvals.slice(0, 2), approvals[3]!, forgedApproval(proposal, 'd', generateIdentity())]),
      'wrong-key',
    ],
    [
      'a stranger approves',
      (proposal, approvals) => behind(proposal, [...approvals, forgedApproval(proposal, 'x', generateIdentity())]),
      'not-an-approver',
    ],
    [
      'a site approves that was not asked',
      (proposal, approvals) => behind(proposal, [...approvals, forgedApproval(proposal, 'c', consortium.member('c').identity)]),
      'not-an-approver',
    ],
    [
      'an approval is of another proposal',
      (proposal, approvals) =>
        behind(proposal, [
          ...approvals.slice(0, 2),
          approvals[3]!,
          forgedApproval(proposal, 'd', consortium.member('d').identity, { proposal: '1'.repeat(64) }),
        ]),
      'other-approval',
    ],
    [
      'an approval is of other sets',
      (proposal, approvals) =>
        behind(proposal, [
          ...approvals.slice(0, 2),
          approvals[3]!,
          forgedApproval(proposal, 'd', consortium.member('d').identity, { after: THIRD }),
        ]),
      'other-approval',
    ],
    [
      'an attestation stands for an approval',
      (proposal, approvals) => behind(proposal, [...approvals.slice(0, 3), consortium.board.all('attestation')[0]!]),
      'wrong-act',
    ],
    ['an approval stands for the proposal', (_, approvals) => behind(approvals[0]!, approvals), 'wrong-act'],
  ])('is refused where %s', async (_, tamper, refusal) => {
    const proposal = proposalFor(consortium, first, SECOND);
    const tampered = tamper(proposal, await approveBy(consortium, proposal, CONCERNED));
    for (const site of FIVE) expect(await signs(site, tampered)).toBe(refusal);
  });

  it.each<[string, Partial<Proposed>, string]>([
    ['another run', { run: `r2-${'0'.repeat(16)}` }, 'other-proposal'],
    ['another consortium', { consortium: 'other' }, 'other-proposal'],
    ['another kind', { kind: 'statistics' }, 'other-proposal'],
    ['another model', { modelIn: '1'.repeat(64) }, 'other-proposal'],
    ['another set than was frozen', { after: THIRD, approvers: FIVE }, 'other-proposal'],
    ['the same set', { after: FIRST }, 'other-proposal'],
    ['a set with somebody outside the run', { after: ['a', 'b', 'c', 'x'] }, 'not-in-epoch'],
    ['too small a set', { after: ['a', 'b', 'c'] }, 'set-too-small'],
    ['an unsorted set', { after: ['b', 'a', 'c', 'e'] }, 'set-unordered'],
    ['too few approvers', { approvers: ['a', 'b', 'd'] }, 'approvers-short'],
  ])('is neither approved nor signed where the proposal is for %s', async (_, change, refusal) => {
    const proposal = proposalFor(consortium, first, SECOND, change);
    const approvals = CONCERNED.map((site) => forgedApproval(proposal, site, consortium.member(site).identity));
    for (const site of FIVE) expect(await signs(site, behind(proposal, approvals))).toBe(refusal);
    // For a set that nobody has frozen yet, a proposal may be shown: it opens nothing.
    if (_ === 'another set than was frozen') return;
    const known = consortium.member('d').journal.newSets.all().length;
    for (const site of CONCERNED) expect(await shown(site, proposal)).toBe(refusal);
    expect(consortium.member('d').journal.newSets.all()).toHaveLength(known);
  });

  it('is refused where the operator did not sign the proposal', async () => {
    const honest = consortium.operator;
    Object.assign(consortium, { operator: generateIdentity() });
    const proposal = proposalFor(consortium, first, SECOND);
    Object.assign(consortium, { operator: honest });
    const approvals = CONCERNED.map((site) => forgedApproval(proposal, site, consortium.member(site).identity));
    for (const site of FIVE) expect(await signs(site, behind(proposal, approvals))).toBe('wrong-key');
  });
});
