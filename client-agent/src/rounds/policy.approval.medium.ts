import { planBytes, planDigest, runId } from '@coferment/consortium';
import { generateIdentity, loadCrypto } from '@coferment/crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { approvePlan } from './approval.handlers.js';
import { createMember, fixturePlan, type Member, removeMember, SharedBoard } from './members.fixture.js';

const SITES = ['a', 'b', 'c', 'd'];
const plan = fixturePlan();
const digest = planDigest(plan);
const ruled = (text: string) => `schema: 1\nwhenAllHold: approve\nrules: ${text}`;

let board: SharedBoard;
let a: Member;
let ordinal = 0;
beforeAll(async () => {
  await loadCrypto();
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  a = createMember('a', board, generateIdentity().publicKey);
});
afterAll(() => removeMember(a));
/** A later run of the plan for every test. */
beforeEach(() => {
  ordinal += 1;
  a.policy.set('schema: 1');
});

const ask = (sites = SITES) => approvePlan(a, { run: runId(digest, ordinal), ordinal, plan: digest, sites });
const decision = () => a.journal.approvals.latestDecision(digest, ordinal);
const approvals = () => board.all('plan-approved').length;

describe('a policy whose rules are enough', () => {
  it('still asks a person about the first sites it ever sees', async () => {
    a.policy.set(ruled('{ minContributors: 3 }'));
    expect(await ask()).toMatchObject({
      outcome: 'waiting',
      reason: expect.stringContaining('Rules that ask a person: changedSites (no run was approved here before; the sites are a, b, c, d)'),
      whatToDo: expect.stringContaining(`coferment-agent plans show ${digest}`),
    });
    a.journal.approvals.decidePlan(digest, ordinal, 'approved', SITES);
    expect(await ask()).toEqual({ outcome: 'done' });
  });

  it('approves the next run over the same sites without a person, and says so', async () => {
    a.policy.set(ruled('{ minContributors: 3 }'));
    const before = approvals();
    expect(await ask()).toEqual({ outcome: 'done' });
    expect(approvals()).toBe(before + 1);
    expect(decision()).toMatchObject({ decision: 'approved', decidedBy: 'policy' });
    expect(a.events).toContainEqual({ event: 'approved-by-policy', run: runId(digest, ordinal), plan: digest });
  });

  it.each([
    ['other sites', '{}', SITES.slice(0, 3), /changedSites \(the sites differ from those of an earlier run \(gone: d\)\)/],
    ['rounds beyond the month', '{ roundsPerMonth: 1 }', SITES, /roundsPerMonth \(0 of 1 rounds of this month are used; the plan has 2/],
  ])('waits for a person where a rule asks: %s', async (_what, rules, sites, reason) => {
    a.policy.set(ruled(rules));
    expect(await ask(sites)).toMatchObject({ outcome: 'waiting', reason: expect.stringMatching(reason) });
    expect(decision()).toBeUndefined();
  });

  it('does not stand above a person who rejected', async () => {
    a.policy.set(ruled('{}'));
    a.journal.approvals.decidePlan(digest, ordinal, 'rejected', SITES, { reason: 'not this one' });
    await expect(ask()).rejects.toMatchObject({ code: 'plan-rejected', rule: 'person', reason: 'not this one' });
  });
});

describe('a person', () => {
  it('is not overruled by rules that are asked at the very same moment: nobody can decide between their look and their approval', async () => {
    a.policy.set(ruled('{}'));
    const { approvals } = a.journal;
    const look = approvals.planDecision.bind(approvals);
    const person = new DatabaseSync(join(a.folder, 'journal.sqlite'), { timeout: 0 });
    let hindered = '';
    vi.spyOn(approvals, 'planDecision').mockImplementationOnce((...of) => {
      const decided = look(...of);
      try {
        person.exec('BEGIN IMMEDIATE; ROLLBACK');
      } catch (error) {
        hindered = (error as Error).message;
      }
      return decided;
    });
    await ask();
    person.close();
    expect(decision()).toMatchObject({ decidedBy: 'policy' });
    expect(hindered).toMatch(/locked/);
  });

  it('can take an approval back that the coordinator has not heard of', async () => {
    a.journal.approvals.decidePlan(digest, ordinal, 'approved', SITES);
    board.failing = true;
    await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
    board.failing = false;
    const before = approvals();
    a.journal.approvals.decidePlan(digest, ordinal, 'withdrawn', SITES, { reason: 'too late' });
    await expect(ask()).rejects.toMatchObject({ code: 'plan-rejected', rule: 'person', reason: 'too late' });
    expect(approvals()).toBe(before);
    a.journal.approvals.decidePlan(digest, ordinal, 'approved', SITES);
    expect(await ask()).toEqual({ outcome: 'done' });
  });
});

describe('a rule that refuses', () => {
  it('stands above the approval of a person, and signs nothing', async () => {
    a.policy.set('schema: 1\nrules: { variables: [ph, product_concentration] }');
    a.journal.approvals.decidePlan(digest, ordinal, 'approved', SITES);
    const before = approvals();
    const reason = 'variables temperature: not among the allowed ph, product_concentration';
    await expect(ask()).rejects.toMatchObject({ code: 'policy-refused', rule: 'variables', reason });
    expect(approvals()).toBe(before);
    expect(a.journal.runs.get(runId(digest, ordinal))?.state).toBe('asked');
    // The approval is there still: it holds once the rules allow it.
    a.policy.set('schema: 1');
    expect(await ask()).toEqual({ outcome: 'done' });
  });

  it('refuses a run that was approved before the rule, when it is asked about again', async () => {
    a.journal.approvals.decidePlan(digest, ordinal, 'approved', SITES);
    await ask();
    a.policy.set('schema: 1\nrules: { privacyBudget: 4 }');
    await expect(ask()).rejects.toMatchObject({ rule: 'privacyBudget', reason: expect.stringContaining('no differential privacy') });
  });
});
