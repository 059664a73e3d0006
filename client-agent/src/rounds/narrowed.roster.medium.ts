import {
  holderPoint,
  planBytes,
  planDigest,
  renewRoster,
  resolveQuorum,
  type Roster,
  rosterBytes,
  rosterDigest,
  rosterFingerprint,
  runId,
  signStatement,
} from '@coferment/consortium';
import { bytesToHex, generateIdentity, loadCrypto } from '@coferment/crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { readRecord } from '../journal/record.chain.js';
import { checkRosterFor, planParameters } from '../policy/roster.policy.js';
import { rosterReport } from '../status/roster.report.js';
import { approvePlan, approveRoster } from './approval.handlers.js';
import { carryOut } from './instruction.router.js';
import { CONSORTIUM, createMember, fixturePlan, type Member, removeMember, SharedBoard } from './members.fixture.js';
import { judgeRequest } from './policy.gate.js';
import { PollLoop } from './poll.loop.js';
import { leaveEpoch } from './run.departure.js';

const ASKED = ['a', 'b', 'c', 'd', 'e'];
const plan = fixturePlan();
const digest = planDigest(plan);
const run = runId(digest, 1);

let board: SharedBoard;
/** All but "a", which each test begins anew: a key store takes a while to make. */
let others: Member[];
let members: Member[];
let a: Member;
beforeAll(async () => {
  await loadCrypto();
  const elsewhere = new SharedBoard();
  others = ['b', 'c', 'd', 'e', 'f'].map((site) => createMember(site, elsewhere, generateIdentity().publicKey));
});
beforeEach(async () => {
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  a = createMember('a', board, generateIdentity().publicKey);
  members = [a, ...others];
  new EpochSecrets(a.store, run, 1).drawSealingKey();
  a.journal.approvals.decidePlan(digest, 1, 'approved', ASKED);
  await approvePlan(a, { run, ordinal: 1, plan: digest, sites: ASKED });
});
afterEach(() => removeMember(a));
afterAll(() => others.forEach(removeMember));

/** What an honest coordinator makes of those who approved. */
function rosterOf(sites: readonly string[], epoch = 1): Roster {
  const taking = members.filter(({ site }) => sites.includes(site));
  const numbers = resolveQuorum(plan, sites.length);
  return sealed(
    {
      sites: taking.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) })),
      keyHolders: sites.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) })),
      numbers,
      parameters: planParameters(plan, sites.length),
      leftOut: [],
      sealingKeys: [],
    },
    epoch,
  );
}

function sealed(roster: Roster, epoch: number): Roster {
  const sealingKeys = members
    .filter(({ site }) => roster.sites.some((member) => member.site === site) && !roster.leftOut.includes(site))
    .map(({ site, identity, store }) => {
      const key = bytesToHex(new EpochSecrets(store, run, epoch).drawSealingKey().publicKey);
      return { site, key, envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch, site, key }, identity) };
    });
  return { ...roster, sealingKeys };
}

/** What the poll loop does with the answer: a roster that waits comes on the screen. */
async function offer(roster: Roster, epoch = 1) {
  board.objects.set(rosterDigest(roster), rosterBytes(roster));
  const outcome = await approveRoster(a, { run, epoch, roster: rosterDigest(roster) });
  if (outcome.outcome === 'waiting' && outcome.shows !== undefined) a.journal.approvals.showRoster(outcome.shows);
  return outcome;
}

const approve = (roster: Roster) => a.journal.approvals.approveRoster(rosterFingerprint(roster));

describe('a first roster without some of the sites that were asked', () => {
  it('is shown to a person with who is missing, and what that does to the numbers', async () => {
    const roster = rosterOf(['a', 'c', 'd']);
    const shown = await offer(roster);
    expect(shown).toMatchObject({
      outcome: 'waiting',
      reason: expect.stringMatching(
        /^b, e are missing: this site approved the run for 5 sites \(c = 2, sums over at least 4\), the roster has 3 \(c = 1, at least 3\)\./,
      ),
      whatToDo: expect.stringMatching(/ask those that are missing/),
    });
    expect(rosterReport(a.journal, a.objects, CONSORTIUM).epochs).toMatchObject([
      { epoch: 1, approved: false, lines: expect.arrayContaining(['Asked for this run and not in it: b, e']) },
    ]);
    approve(roster);
    expect(await offer(roster)).toEqual({ outcome: 'done' });
    expect(rosterReport(a.journal, a.objects, CONSORTIUM).epochs).toMatchObject([{ epoch: 1, approved: true }]);
  });

  it('is not covered by what was entered before a person could see that', async () => {
    const roster = rosterOf(['a', 'c', 'd']);
    approve(roster);
    expect(await offer(roster)).toMatchObject({ outcome: 'waiting' });
    expect(await offer(roster)).toMatchObject({ outcome: 'waiting' });
    approve(roster);
    expect(await offer(roster)).toEqual({ outcome: 'done' });
  });

  it('is not covered by the same roster, approved for another run', async () => {
    const roster = rosterOf(['a', 'c', 'd']);
    approve(roster);
    expect(a.journal.approvals.useRoster(rosterFingerprint(roster))).toBe(true);
    expect(await offer(roster)).toMatchObject({ outcome: 'waiting' });
    approve(roster);
    expect(await offer(roster)).toEqual({ outcome: 'done' });
  });

  it('is approved as it was shown: another roster with the same fingerprint is shown anew', async () => {
    const shown = rosterOf(['a', 'c', 'd']);
    await offer(shown);
    approve(shown);
    const other = { ...shown, firstSum: 7 };
    await expect(offer(other)).rejects.toMatchObject({ code: 'roster-rules' });
    expect(await offer(shown)).toEqual({ outcome: 'done' });
    await expect(offer(rosterOf(['a', 'b', 'c', 'd']))).rejects.toMatchObject({ code: 'roster-changed' });
  });

  it.each<[string, string, () => Roster]>([
    ['this site', 'roster-own-key', () => rosterOf(['b', 'c', 'd'])],
    ['a third site', 'invalid-roster', () => ({ ...rosterOf(['a', 'b', 'c']), ...tooFew() })],
    ['the numbers that go with so few', 'invalid-roster', () => ({ ...rosterOf(['a', 'b', 'c', 'd']), numbers: resolveQuorum(plan, 5) })],
    ['the c of the plan', 'invalid-roster', () => withNumbers({ c: 0, rho: 3, minContributors: 3 }, { rho: 2 })],
    ['the c that plan and site count give', 'roster-rules', () => withNumbers({ c: 0, rho: 3 })],
    ['its full threshold', 'roster-rules', () => withNumbers({ tau: 2 })],
    ['its full κ', 'roster-rules', () => withParameters({ kappa: planParameters(plan, 4).kappa - 1 })],
  ])('is refused and shown to nobody when it comes without %s', async (_, code, make) => {
    await expect(offer(make())).rejects.toMatchObject({ code });
    expect(rosterReport(a.journal, a.objects, CONSORTIUM).epochs).toEqual([]);
  });

  it('is refused with a site that was not asked', async () => {
    await expect(offer(rosterOf(['a', 'b', 'f']))).rejects.toMatchObject({ code: 'roster-sites' });
  });
});

it('is refused with so few sites that the plan is impossible among them', () => {
  const needsFour = { ...plan, quorum: { ...plan.quorum, minContributors: 4 } };
  const own = { site: 'a', identityKey: a.identity.publicKey, sealingKey: new EpochSecrets(a.store, run, 1).sealingKey().publicKey };
  const expected = {
    consortium: CONSORTIUM,
    run,
    epoch: 1,
    plan: needsFour,
    sites: ASKED,
    own,
    before: undefined,
    largestSum: 0,
    mayBeFewer: true,
  };
  expect(() => checkRosterFor(rosterOf(['a', 'b', 'c']), expected)).toThrow(expect.objectContaining({ code: 'impossible-quorum' }));
  const four = { ...rosterOf(['a', 'b', 'c', 'd']), numbers: resolveQuorum(needsFour, 4) };
  expect(checkRosterFor(four, expected)).toBe(rosterFingerprint(four));
});

describe('a later roster of such a run', () => {
  const first = () => rosterOf(['a', 'b', 'c', 'd']);
  const later = (previous: Roster, leaveOut: string[] = []) =>
    sealed(renewRoster({ plan, previous, leaveOut, replaceHolders: [], formerHolders: [], firstSum: 5 }), 2);

  it('has the sites and numbers of the first, also where that brings nobody back', async () => {
    const roster = first();
    await offer(roster);
    approve(roster);
    await offer(roster);
    expect(await offer(later(roster), 2)).toEqual({ outcome: 'done' });
  });

  it.each<[string, () => Roster]>([
    ['all who were asked', () => ({ ...rosterOf(ASKED, 2), firstSum: 6 })],
    ['fewer than the first had', () => ({ ...rosterOf(['a', 'b', 'c'], 2), firstSum: 5 })],
    ['another in the place of one', () => ({ ...rosterOf(['a', 'b', 'c', 'e'], 2), firstSum: 5 })],
  ])('is refused with %s, whoever approves it', async (_, make) => {
    const roster = first();
    await offer(roster);
    approve(roster);
    await offer(roster);
    approve(make());
    await expect(offer(make(), 2)).rejects.toMatchObject({
      code: 'roster-sites',
      message: expect.stringContaining('the first roster of this run has a, b, c, d'),
    });
  });

  it('may be the first that a site sees, and is then shown as such', async () => {
    const roster = later(first());
    expect(await offer(roster, 2)).toMatchObject({ outcome: 'waiting', reason: expect.stringMatching(/^e is missing/) });
    approve(roster);
    expect(await offer(roster, 2)).toEqual({ outcome: 'done' });
  });

  it('is refused by a site that has forgotten the first in a restored folder', async () => {
    leaveEpoch(a, run, 1, 'its folder was restored');
    await expect(offer(later(first()), 2)).rejects.toMatchObject({ code: 'roster-sites' });
    expect(await offer(later(rosterOf(ASKED)), 2)).toMatchObject({ outcome: 'waiting' });
  });
});

function tooFew(): Pick<Roster, 'sites' | 'keyHolders' | 'sealingKeys' | 'numbers' | 'parameters'> {
  const { sites, keyHolders, sealingKeys, parameters } = rosterOf(['a', 'b', 'c']);
  const numbers = { n: 2, m: 2, tau: 2, c: 1, rho: 2, minContributors: 3 };
  return {
    sites: sites.slice(0, 2),
    keyHolders: keyHolders.slice(0, 2),
    sealingKeys: sealingKeys.slice(0, 2),
    numbers,
    parameters: { ...parameters, sites: 2, keyHolders: 2, threshold: 2 },
  };
}

function withNumbers(...changes: Partial<Roster['numbers']>[]): Roster {
  const roster = rosterOf(['a', 'b', 'c', 'd']);
  Object.assign(roster.numbers, ...changes);
  roster.parameters.threshold = roster.numbers.tau;
  return roster;
}

function withParameters(change: Partial<Roster['parameters']>): Roster {
  const roster = rosterOf(['a', 'b', 'c', 'd']);
  Object.assign(roster.parameters, change);
  return roster;
}

describe('the rules of the site', () => {
  const floors: [string, string, string][] = [
    ['minSites', '{ minSites: 4 }', '3 sites take part, floor is 4'],
    ['collusionBound', '{ collusionBound: 2 }', 'plan has 1, floor is 2'],
    ['minContributors', '{ minContributors: 4 }', 'plan has 3, floor is 4'],
    ['exactSites', '{ exactSites: [a, b, c, d, e] }', 'the run has the sites a, c, d; they must be exactly a, b, c, d, e'],
  ];
  it.each(floors)('hold against the numbers of the few: %s', async (rule, rules, reason) => {
    a.policy.set(`schema: 1\nrules: ${rules}`);
    const roster = rosterOf(['a', 'c', 'd']);
    board.objects.set(rosterDigest(roster), rosterBytes(roster));
    // As the poll loop hands it over. Neither is anybody asked, nor does what was entered help.
    approve(roster);
    const body = { run, epoch: 1, roster: rosterDigest(roster) };
    await expect(carryOut(a, { kind: 'approveRoster', id: '', run, body })).rejects.toMatchObject({ code: 'policy-refused', rule, reason });
    expect(a.journal.approvals.shownRosters()).toEqual([]);
    expect(a.journal.runs.epochs(run)).toEqual([]);
    // All five were what the site had approved, and they pass the same rules.
    const whole = rosterOf(ASKED);
    board.objects.set(rosterDigest(whole), rosterBytes(whole));
    const offered = { ...body, roster: rosterDigest(whole) };
    expect(await carryOut(a, { kind: 'approveRoster', id: '', run, body: offered })).toMatchObject({ outcome: 'waiting' });
  });

  it('compare a later run with those among whom this one went on, not with those who were asked', async () => {
    const roster = rosterOf(['a', 'c', 'd']);
    await offer(roster);
    approve(roster);
    await offer(roster);
    const next = (sites: readonly string[]) => judgeRequest(a, { run: runId(digest, 2), plan: digest, sites }, plan).results;
    a.policy.set('schema: 1\nrules: { changedSites: refuse }');
    expect(next(ASKED)).toContainEqual({
      rule: 'changedSites',
      verdict: 'refuse',
      reason: 'the sites differ from those of an earlier run (new: b, e)',
    });
    expect(next(['a', 'c', 'd'])).toContainEqual(expect.objectContaining({ rule: 'changedSites', verdict: 'approve' }));
  });
});

describe('rosters that a coordinator swaps again and again', () => {
  it('are not all written down: one stays on the screen for a while', async () => {
    const rosters = [rosterOf(['a', 'c', 'd']), rosterOf(['a', 'b', 'c'])];
    for (const roster of rosters) board.objects.set(rosterDigest(roster), rosterBytes(roster));
    let polls = 0;
    a.port.poll = () => {
      polls += 1;
      const roster = rosterDigest(rosters[polls % 2]!);
      const instructions = [{ kind: { $case: 'approveRoster' as const, approveRoster: { run, epoch: 1, roster } } }];
      if (polls === 12) stop.abort();
      return Promise.resolve({ instructions, runs: [], owed: String(polls), coordinatorTimeMs: 0, authorities: 0 });
    };
    const stop = new AbortController();
    const nothing = () => Promise.resolve();
    const settings = { waitMs: 100, renew: nothing, explain: nothing, authorities: () => 0, newAuthorities: () => undefined };
    await new PollLoop(a, settings).run(stop.signal);
    const { entries } = readRecord(a.journal.record.lines());
    expect(entries.filter(({ kind }) => kind === 'roster-shown')).toHaveLength(1);
    expect(entries.filter(({ kind }) => kind === 'waiting')).toHaveLength(1);
    // What is not on the screen is not approved either.
    const [other] = rosters.filter((roster) => rosterDigest(roster) !== a.journal.approvals.shownRosters()[0]!.roster);
    approve(other!);
    expect(await approveRoster(a, { run, epoch: 1, roster: rosterDigest(other!) })).toMatchObject({ outcome: 'waiting' });
  });
});
