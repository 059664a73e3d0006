import {
  planAggregation,
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
  holderPoint,
} from '@coferment/consortium';
import { bytesToHex, generateIdentity, loadCrypto } from '@coferment/crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { planParameters } from '../policy/roster.policy.js';
import { approveRoster } from './approval.handlers.js';
import { CONSORTIUM, createMember, fixturePlan, type Member, removeMember, SharedBoard } from './members.fixture.js';

const SITES = ['a', 'b', 'c', 'd'];
const plan = fixturePlan();
const digest = planDigest(plan);
const run = runId(digest, 1);

let board: SharedBoard;
let members: Member[];
let first: Roster;

beforeAll(loadCrypto);
beforeEach(async () => {
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  members = SITES.map((site) => createMember(site, board, generateIdentity().publicKey));
  const numbers = resolveQuorum(plan, SITES.length);
  const sites = members.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) }));
  const keyHolders = SITES.map((site, position) => ({ site, point: holderPoint(position) }));
  const parameters = planParameters(plan, SITES.length);
  first = sealed({ sites, keyHolders, numbers, parameters, leftOut: [], sealingKeys: [] }, 1);
  const [a] = members as [Member];
  a.journal.runs.announce(run, digest, 1, SITES);
  a.journal.runs.setState(run, 'approved');
  a.journal.approvals.approveRoster(rosterFingerprint(first));
  expect(await offer(first, 1)).toEqual({ outcome: 'done' });
});
afterEach(() => members.forEach(removeMember));

function sealed(roster: Roster, epoch: number): Roster {
  const sealingKeys = members
    .filter(({ site }) => !roster.leftOut.includes(site))
    .map(({ site, identity, store }) => {
      const key = bytesToHex(new EpochSecrets(store, run, epoch).drawSealingKey().publicKey);
      return { site, key, envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch, site, key }, identity) };
    });
  return { ...roster, sealingKeys };
}

function offer(roster: Roster, epoch = 2) {
  board.objects.set(rosterDigest(roster), rosterBytes(roster));
  return approveRoster(members[0]!, { run, epoch, roster: rosterDigest(roster) });
}

function renewed(change: { leaveOut?: string[]; replaceHolders?: string[] } = {}): Roster {
  const nobody = { leaveOut: [], replaceHolders: [], formerHolders: [] };
  return renewRoster({ plan, previous: first, firstSum: 5, ...nobody, ...change });
}

describe('the roster of a second key epoch', () => {
  it('needs no person when the members are the same', async () => {
    expect(await offer(sealed(renewed(), 2))).toEqual({ outcome: 'done' });
    expect(board.all('roster-approved')).toHaveLength(2);
  });

  it.each<[string, Parameters<typeof renewed>[0], RegExp]>([
    ['a site is left out', { leaveOut: ['d'] }, /In key epoch 2, now left out: d; key holders: a, b, c instead of a, b, c, d/],
    ['a holder is replaced', { replaceHolders: ['b'] }, /In key epoch 2, key holders: a, c, d instead of a, b, c, d/],
    ['this very site is left out', { leaveOut: ['a'] }, /now left out: a/],
  ])('waits for a person, who sees what has changed, when %s', async (_, change, shown) => {
    const roster = sealed(renewed(change), 2);
    expect(await offer(roster)).toMatchObject({ outcome: 'waiting', reason: expect.stringMatching(shown) });
    expect(board.all('roster-approved')).toHaveLength(1);
    members[0]!.journal.approvals.approveRoster(rosterFingerprint(roster));
    expect(await offer(roster)).toEqual({ outcome: 'done' });
  });

  it.each<[string, (roster: Roster) => void, string]>([
    ['a lower ρ', ({ numbers }) => Object.assign(numbers, { c: 0, rho: 3, minContributors: 3 }), 'roster-rules'],
    ['n of its own', ({ numbers, parameters }) => void ((numbers.n = 3), (parameters.sites = 3)), 'invalid-roster'],
    ['fewer contributors', ({ numbers }) => (numbers.minContributors = 4), 'roster-rules'],
    ['a smaller threshold', ({ numbers, parameters }) => void ((numbers.tau = 2), (parameters.threshold = 2)), 'roster-rules'],
    ['other parameters', ({ parameters }) => (parameters.kappa -= 1), 'roster-rules'],
    ['two sites left out', (roster) => leaveOutTwo(roster), 'roster-rules'],
    ['sums that begin again', (roster) => void delete roster.firstSum, 'roster-first-sum'],
    ['sums beyond the maximum', (roster) => (roster.firstSum = 9_000_000), 'roster-first-sum'],
  ])('with %s is refused and shown to nobody', async (_, change, code) => {
    members[0]!.journal.rounds.reserveEncryption(run, 1, 1, 1, 1);
    const roster = sealed(renewed(), 2);
    change(roster);
    await expect(offer(roster)).rejects.toMatchObject({ code });
    expect(board.all('roster-approved')).toHaveLength(1);
  });

  it('with another identity key is refused, though the key signs its sealing key', async () => {
    const roster = sealed(renewed(), 2);
    const impostor = generateIdentity();
    const { key } = roster.sealingKeys[1]!;
    roster.sites = roster.sites.map((member) =>
      member.site === 'b' ? { site: 'b', identityKey: bytesToHex(impostor.publicKey) } : member,
    );
    roster.sealingKeys[1]!.envelope = signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 2, site: 'b', key }, impostor);
    await expect(offer(roster)).rejects.toMatchObject({ code: 'roster-identity' });
  });

  it('is one for an epoch, for life', async () => {
    expect(await offer(sealed(renewed(), 2))).toEqual({ outcome: 'done' });
    await expect(offer(sealed({ ...renewed(), firstSum: 6 }, 2))).rejects.toMatchObject({ code: 'roster-changed' });
  });
});

/** With a threshold that the two who are left could reach. */
function leaveOutTwo(roster: Roster): void {
  roster.leftOut = ['b', 'd'];
  roster.sealingKeys = roster.sealingKeys.filter(({ site }) => !roster.leftOut.includes(site));
  roster.keyHolders = ['a', 'c'].map((site, position) => ({ site, point: holderPoint(position) }));
  Object.assign(roster.numbers, { m: 2, tau: 2 });
  roster.parameters = planAggregation({ sites: 4, keyHolders: 2, threshold: 2 });
}
