import {
  holderPoint,
  planBytes,
  planDigest,
  resolveQuorum,
  type Roster,
  rosterBytes,
  rosterDigest,
  runId,
  signStatement,
} from '@coferment/consortium';
import { bytesToHex, generateIdentity, loadCrypto } from '@coferment/crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { planParameters } from '../policy/roster.policy.js';
import { approvePlan, approveRoster, offerSealingKey } from './approval.handlers.js';
import { CONSORTIUM, createMember, fixturePlan, type Member, removeMember, SharedBoard } from './members.fixture.js';

const SITES = ['a', 'b', 'c'];
const plan = fixturePlan();
const digest = planDigest(plan);
const run = runId(digest, 1);
const request = { run, ordinal: 1, plan: digest, sites: SITES };

let board: SharedBoard;
let members: Member[];
beforeAll(loadCrypto);
beforeEach(() => {
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  members = SITES.map((site) => createMember(site, board, generateIdentity().publicKey));
});
afterEach(() => members.forEach(removeMember));

function honestRoster(): Roster {
  const sites = members.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) }));
  const numbers = resolveQuorum(plan, SITES.length);
  const sealingKeys = members.map(({ site, identity, store }) => {
    const key = bytesToHex(new EpochSecrets(store, run, 1).drawSealingKey().publicKey);
    return { site, key, envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 1, site, key }, identity) };
  });
  const keyHolders = SITES.map((site, position) => ({ site, point: holderPoint(position) }));
  return { sites, keyHolders, numbers, parameters: planParameters(plan, SITES.length), leftOut: [], sealingKeys };
}

function offer(roster: Roster) {
  board.objects.set(rosterDigest(roster), rosterBytes(roster));
  return approveRoster(members[0]!, { run, epoch: 1, roster: rosterDigest(roster) });
}

describe('a plan', () => {
  it('waits for a person, then is signed for exactly these sites', async () => {
    const [a] = members as [Member];
    expect(await approvePlan(a, request)).toMatchObject({ outcome: 'waiting' });
    expect(board.acts).toHaveLength(0);
    a.journal.approvals.decidePlan(digest, 1, 'approved', SITES);
    expect(await approvePlan(a, request)).toEqual({ outcome: 'done' });
    expect(board.all('plan-approved')).toHaveLength(1);
    await expect(approvePlan(a, { ...request, sites: ['a', 'b', 'c', 'd'] })).rejects.toThrow(/other sites/);
  });

  it('is not signed when it was rejected, nor for a second run that nobody approved', async () => {
    const [a] = members as [Member];
    a.journal.approvals.decidePlan(digest, 1, 'rejected');
    await expect(approvePlan(a, request)).rejects.toThrow(/rejected/);
    a.journal.approvals.decidePlan(digest, 1, 'approved');
    await approvePlan(a, request);
    const second = { ...request, run: runId(digest, 2), ordinal: 2 };
    expect(await approvePlan(a, second)).toMatchObject({ outcome: 'waiting' });
  });

  it('gives no sealing key before it is approved', async () => {
    await expect(offerSealingKey(members[0]!, { run, ordinal: 1, plan: digest, epoch: 1 })).rejects.toThrow(/has not approved/);
  });
});

describe('a roster', () => {
  beforeEach(async () => {
    members[0]!.journal.approvals.decidePlan(digest, 1, 'approved');
    await approvePlan(members[0]!, request);
  });

  it('waits for its fingerprint from a person, and accepts no other', async () => {
    const roster = honestRoster();
    const first = await offer(roster);
    const fingerprint = 'whatToDo' in first ? /approve ([0-9a-f]{64})/.exec(first.whatToDo)?.[1] : undefined;
    expect(first).toMatchObject({ reason: expect.stringMatching(/sites a, b, c; .* c = 1 .* at least 3 sites/) });
    members[0]!.journal.approvals.approveRoster('f'.repeat(64));
    expect(await offer(roster)).toMatchObject({ outcome: 'waiting' });
    members[0]!.journal.approvals.approveRoster(fingerprint!);
    expect(await offer(roster)).toEqual({ outcome: 'done' });
    expect(board.all('roster-approved')).toHaveLength(1);
  });

  it('with one identity key swapped has another fingerprint', async () => {
    const honest = await offer(honestRoster());
    const impostor = generateIdentity();
    const roster = honestRoster();
    const key = roster.sealingKeys[1]!.key;
    roster.sites[1]!.identityKey = bytesToHex(impostor.publicKey);
    roster.sealingKeys[1]!.envelope = signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 1, site: 'b', key }, impostor);
    const swapped = await offer(roster);
    expect(swapped).toMatchObject({ outcome: 'waiting' });
    expect(swapped).not.toEqual(honest);
  });

  it('names the member whose sealing key nobody can seal for', async () => {
    const roster = honestRoster();
    const key = '0'.repeat(64) + roster.sealingKeys[1]!.key.slice(64);
    const { identity } = members[1]!;
    const envelope = signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 1, site: 'b', key }, identity);
    roster.sealingKeys[1] = { site: 'b', key, envelope };
    await expect(offer(roster)).rejects.toThrow(/sealing key of "b" has a point of low order/);
  });

  it.each<[string, (roster: Roster) => void, RegExp]>([
    ["this site's identity key", (roster) => (roster.sites[0]!.identityKey = 'b'.repeat(64)), /./],
    ["this site's sealing key", (roster) => (roster.sealingKeys[0]!.key = 'c'.repeat(2432)), /sealing key/],
    ['a smaller κ', (roster) => (roster.parameters.kappa -= 1), /its parameters are/],
    ['the insecure parameter set', (roster) => (roster.parameters.set = 'INSECURE_TEST_1024'), /its parameters are/],
    ['key holders in another order', (roster) => roster.keyHolders.forEach((holder, i) => (holder.site = SITES[2 - i]!)), /keyHolders/],
  ])('with %s changed is refused and never shown to a person', async (_what, change, expected) => {
    const roster = honestRoster();
    change(roster);
    await expect(offer(roster)).rejects.toThrow(expected);
    expect(board.all('roster-approved')).toHaveLength(0);
  });
});
