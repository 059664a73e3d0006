import { planBytes, runId, signStatement } from '@coferment/consortium';
import { MOST_REFUSALS_A_DAY } from '../journal/activity.repository.js';
import { MOST_RUNS_A_DAY } from '../journal/runs.repository.js';
import { bytesToHex, generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { entryFor } from '@coferment/ledger';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyJournal } from '../journal/journal.verification.js';
import { followInstructions } from './instructed.member.fixture.js';
import { createMember, fixturePlan, removeMember, SharedBoard } from './members.fixture.js';
import { takeCheckpoint } from '../witness/cosigning.act.js';
import { WitnessingSite, WordLog } from '../witness/forking.coordinator.fixture.js';
import { dismissEvidence } from '../witness/split.evidence.js';
import { PollLoop, RECALL_AT_MOST_EVERY_MS } from './poll.loop.js';

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

describe('a site that stays connected', () => {
  /** So much faster the clock of the loop goes. */
  const FASTER = 10;
  const real = performance.now.bind(performance);
  afterEach(() => void vi.restoreAllMocks());

  it('reads the ledger on when more of it is cosigned than it has read, and from its beginning when a person has let it go on', async () => {
    vi.spyOn(performance, 'now').mockImplementation(() => FASTER * real());
    const site = new WitnessingSite();
    const operator = generateIdentity();
    const member = { ...createMember('a', site.board, operator.publicKey), journal: site.journal };
    const enrol = (name: string) => {
      const identityKey = bytesToHex(generateIdentity().publicKey);
      const envelope = signStatement(
        'site-enrolled',
        { consortium: 'acme', site: name, identityKey, certificate: 'c'.repeat(64) },
        operator,
      );
      const payload = Buffer.from(envelope.payload, 'base64');
      site.board.ledger.push({ index: site.board.ledger.length, entry: entryFor(envelope, operator.publicKey), payload });
    };
    const position = () => member.journal.ownActs.position().entries;
    let asked = 0;
    member.port.ledgerEntries = (start, limit) => {
      asked += 1;
      return Promise.resolve(site.board.ledger.slice(start, start + limit));
    };
    enrol('b');
    const words = WordLog.counting(12);
    const later = (ms: number, act: () => void) => void setTimeout(act, ms);
    let step: 'reading' | 'dismissed' | 'quiet' | 'cosigned' | 'behind' | 'done' = 'reading';
    const follow = () => {
      if (step === 'reading' && position() === 1) {
        const { kept } = member.journal.evidence.keep('entries', 'a test', '{}');
        dismissEvidence(member.journal, kept.id, 'a test');
        step = 'dismissed';
      } else if (step === 'dismissed' && position() === 1) {
        // Nothing new is cosigned: the ledger is left alone.
        enrol('c');
        [step, asked] = ['quiet', 0];
        later(RECALL_AT_MOST_EVERY_MS / FASTER + 100, () => {
          expect([asked, position()]).toEqual([0, 1]);
          takeCheckpoint(site.context, words.offer(0, 12), false);
          step = 'cosigned';
        });
      } else if (step === 'cosigned' && position() === 2) {
        // It gives fewer entries than are cosigned: it is not asked with every poll.
        [step, asked] = ['behind', 0];
        later(200, () => {
          expect(asked).toBe(0);
          step = 'done';
        });
      }
      return step === 'done';
    };
    await followInstructions(member, [], follow, 25_000);
    expect(member.journal.roll.all()).toHaveLength(2);
    removeMember(member);
  }, 30_000);
});
