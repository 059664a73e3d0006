import { planBytes, runId } from '@coferment/consortium';
import { MOST_REFUSALS_A_DAY } from '../journal/activity.repository.js';
import { MOST_RUNS_A_DAY } from '../journal/runs.repository.js';
import { bytesToHex, generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyJournal } from '../journal/journal.verification.js';
import { followInstructions } from './instructed.member.fixture.js';
import { createMember, fixturePlan, removeMember, SharedBoard } from './members.fixture.js';
import { PollLoop } from './poll.loop.js';

beforeAll(loadCrypto);

describe('a plan that tries to write to the terminal', () => {
  it('is refused in plain text, on the screen and in the journal', async () => {
    const board = new SharedBoard();
    const document = JSON.parse(Buffer.from(planBytes(fixturePlan())).toString('utf8')) as object;
    const bytes = Buffer.from(JSON.stringify({ ...document, '\u001b[2J\u009b1;1Happroved': 1 }));
    const plan = sha256Hex(bytes);
    board.objects.set(plan, bytes);
    const member = createMember('a', board, generateIdentity().publicKey);
    const stop = new AbortController();
    const approvePlan = { run: runId(plan, 1), ordinal: 1, plan, sites: ['a', 'b', 'c'] };
    const instructions = [{ kind: { $case: 'approvePlan' as const, approvePlan } }];
    member.port.poll = () => Promise.resolve({ instructions, runs: [], owed: '1', coordinatorTimeMs: 0, authorities: 0 });
    member.tell = (event) => {
      member.events.push(event);
      if (event.event === 'refused') stop.abort();
    };
    const loop = new PollLoop(member, {
      waitMs: 100,
      renew: () => Promise.resolve(),
      authorities: () => 0,
      newAuthorities: () => undefined,
      explain: () => Promise.resolve(),
    });
    await loop.run(stop.signal);
    const refused = member.events.find((event) => event.event === 'refused');
    const [stored] = member.journal.activity.refusals(1);
    for (const text of [refused?.message, stored?.message]) {
      expect(text).toContain('approved');
      // oxlint-disable-next-line no-control-regex -- what must not be there
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
    removeMember(member);
  });
});

describe('a coordinator that floods a site', () => {
  const run = (number: number) => `r1-${number.toString(16).padStart(16, '0')}`;
  const flood = Array.from({ length: 300 }, (_, number) => number);

  it('fills neither its journal nor its folder, and hides no refusal of another kind', async () => {
    const board = new SharedBoard();
    const member = createMember('a', board, generateIdentity().publicKey);
    const { activity, runs, record } = member.journal;
    record.append({ kind: 'agent-started', software: 'a test' });
    const codes = () => activity.refusals(1000).map(({ code }) => code);
    // A run that was never approved is refused under each of its names, and so is what is not even well-formed.
    const deals = flood.map((number) => ({ $case: 'deal' as const, deal: { run: run(number), epoch: 1 } }));
    const broken = flood.map((number) => ({ $case: 'deal' as const, deal: { run: `x${number}`, epoch: 1 } }));
    const last = { $case: 'approveRoster' as const, approveRoster: { run: run(999), epoch: 1, roster: 'a'.repeat(64) } };
    const bytes = planBytes(fixturePlan());
    const plan = sha256Hex(bytes);
    board.objects.set(plan, bytes);
    const misnamed = { $case: 'approvePlan' as const, approvePlan: { run: run(1), ordinal: 1, plan, sites: ['a', 'b', 'c'] } };
    await followInstructions(member, [...deals, ...broken, last, misnamed], () => codes().includes('run-misnamed'));
    expect(codes().filter((code) => code === 'not-approved')).toHaveLength(MOST_REFUSALS_A_DAY);
    expect(activity.refusals(1000).filter(({ message }) => /not written down/.test(message))).toMatchObject([{ code: 'not-approved' }]);
    expect(codes()).toContain('malformed-instruction');
    // What is written down was told, once each, and the journal holds.
    expect(activity.untoldRefusals()).toEqual([]);
    expect(verifyJournal(member.folder, { site: 'a', identityKey: bytesToHex(member.identity.publicKey) }).report.findings).toEqual([]);

    for (let ordinal = 1; ordinal <= MOST_RUNS_A_DAY; ordinal++) runs.announce(run(ordinal), plan, ordinal, ['a', 'b', 'c']);
    const other = {
      $case: 'approvePlan' as const,
      approvePlan: { run: runId('b'.repeat(64), 1), ordinal: 1, plan: 'b'.repeat(64), sites: ['a', 'b', 'c'] },
    };
    await followInstructions(member, [other], () => codes().includes('too-many-runs'));
    expect(runs.all()).toHaveLength(MOST_RUNS_A_DAY);
    removeMember(member);
  });
});
