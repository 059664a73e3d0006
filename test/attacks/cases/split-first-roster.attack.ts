/*
 * The first roster of a run may be for fewer sites than were asked. A coordinator that shows two different ones to the sites of one run, each without a site
 * that did approve, wants two sums whose difference is one company. Even where people approve both without comparing, nothing comes of it: the two lists
 * have different E0, and no site deals, acknowledges or agrees in both.
 */
import {
  holderPoint,
  planBytes,
  planDigest,
  peekStatement,
  resolveQuorum,
  type Roster,
  rosterBytes,
  rosterDigest,
  rosterFingerprint,
  runId,
} from '@coferment/consortium';
import { bytesToHex, type DsseEnvelope, generateIdentity, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planParameters } from '../../../client-agent/src/policy/roster.policy.js';
import { approvePlan, approveRoster, offerSealingKey } from '../../../client-agent/src/rounds/approval.handlers.js';
import { agreeEpoch, checkDealing, dealKey } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { createMember, fixturePlan, type Member, removeMember, SharedBoard } from '../../../client-agent/src/rounds/members.fixture.js';
import { attack, refusedWith } from './attacked.consortium.fixture.js';

const SITES = ['a', 'b', 'c', 'd', 'e'];
const plan = fixturePlan();
const digest = planDigest(plan);
const run = runId(digest, 1);
const inEpoch = { run, epoch: 1 };
let board: SharedBoard;
let members: Member[];
let withD: Roster;
let withE: Roster;

const member = (site: string): Member => members.find((candidate) => candidate.site === site)!;
/** As the poll loop does it: a roster that waits comes on the screen. */
async function offer(site: string, roster: Roster) {
  const outcome = await approveRoster(member(site), { ...inEpoch, roster: rosterDigest(roster) });
  if (outcome.outcome === 'waiting' && outcome.shows !== undefined) member(site).journal.approvals.showRoster(outcome.shows);
  return outcome;
}
const dealingOf = (site: string): DsseEnvelope =>
  board.all('dealing').find((envelope) => (peekStatement(envelope) as { predicate: { site: string } }).predicate.site === site)!;

function rosterOf(sites: readonly string[]): Roster {
  const numbers = resolveQuorum(plan, sites.length);
  const sealing = new Map(
    board.all('sealing-key').map((envelope) => {
      const { predicate } = peekStatement(envelope) as { predicate: { site: string; key: string } };
      return [predicate.site, { site: predicate.site, key: predicate.key, envelope }];
    }),
  );
  return {
    sites: sites.map((site) => ({ site, identityKey: bytesToHex(member(site).identity.publicKey) })),
    keyHolders: sites.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) })),
    numbers,
    parameters: planParameters(plan, sites.length),
    leftOut: [],
    sealingKeys: sites.map((site) => sealing.get(site)!),
  };
}

beforeAll(async () => {
  await loadCrypto();
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  members = SITES.map((site) => createMember(site, board, generateIdentity().publicKey));
  for (const { journal } of members) journal.approvals.decidePlan(digest, 1, 'approved', SITES);
  for (const each of members) {
    await approvePlan(each, { run, ordinal: 1, plan: digest, sites: SITES });
    await offerSealingKey(each, { ...inEpoch, ordinal: 1, plan: digest });
  }
  [withD, withE] = [rosterOf(['a', 'b', 'c', 'd']), rosterOf(['a', 'b', 'c', 'e'])];
  for (const roster of [withD, withE]) board.objects.set(rosterDigest(roster), rosterBytes(roster));
});
afterAll(() => members.forEach(removeMember));

/** The people of these sites compare with nobody and approve what is on their screens. */
async function deceive(sites: readonly string[], roster: Roster): Promise<void> {
  for (const site of sites) {
    expect(await offer(site, roster)).toMatchObject({ outcome: 'waiting', reason: expect.stringMatching(/missing/) });
    member(site).journal.approvals.approveRoster(rosterFingerprint(roster));
    expect(await offer(site, roster)).toEqual({ outcome: 'done' });
  }
}

describe('two first rosters of one run, each without a site that has approved', () => {
  it('have different fingerprints, and each names the site that is missing on the screen', async () => {
    expect(rosterFingerprint(withD)).not.toBe(rosterFingerprint(withE));
    await deceive(['a', 'b', 'd'], withD);
    await deceive(['c', 'e'], withE);
    const zeros = board.all('roster-approved').map((envelope) => (peekStatement(envelope) as { predicate: { e0: string } }).predicate.e0);
    expect(new Set(zeros).size).toBe(2);
  });

  it('are each for life: no site that has approved one takes the other, whoever approves it there', async () => {
    for (const [site, other] of [
      ['a', withE],
      ['c', withD],
    ] as const) {
      member(site).journal.approvals.approveRoster(rosterFingerprint(other));
      const seen = await attack(board, member(site), () => offer(site, other));
      expect(seen).toMatchObject({ code: 'roster-changed', sent: [] });
    }
  });

  it('cannot both be dealt in: a key holder of one acknowledges no dealing of the other', async () => {
    for (const site of ['a', 'b', 'd', 'c', 'e']) await dealKey(member(site), inEpoch);
    for (const [holder, dealer, code] of [
      ['a', 'c', 'other-position'],
      ['c', 'a', 'other-position'],
      ['b', 'e', 'not-in-epoch'],
      ['e', 'b', 'other-position'],
    ] as const) {
      const seen = await attack(board, member(holder), () => checkDealing(member(holder), { ...inEpoch, dealing: dealingOf(dealer) }));
      expect(seen).toEqual(refusedWith(code));
    }
    expect(board.all('dealing-ack')).toEqual([]);
  });

  it('never become a key epoch, in which alone anything could be encrypted', async () => {
    for (const site of ['a', 'b', 'd'])
      for (const holder of ['a', 'b', 'd']) await checkDealing(member(holder), { ...inEpoch, dealing: dealingOf(site) });
    const acknowledgements = board.all('dealing-ack');
    for (const dealings of [
      ['a', 'b', 'd'],
      ['a', 'b', 'c', 'd'],
    ]) {
      const body = { ...inEpoch, dealings: dealings.map(dealingOf), acknowledgements };
      const seen = await attack(board, member('a'), () => agreeEpoch(member('a'), body));
      expect(seen).toMatchObject({ sent: [], changed: [] });
      expect(seen.code).not.toBe('no refusal');
    }
    expect(board.all('epoch-agreed')).toEqual([]);
  });
});
