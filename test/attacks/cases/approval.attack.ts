/*
 * Cases 12 and 17. The coordinator hands a site a roster in which it holds a key itself, or launches a second run of an approved plan over the same sites
 * without one victim. What a person approved stands against both: the fingerprint, and the list of sites of each run.
 */
import {
  checkRoster,
  holderPoint,
  planBytes,
  planDigest,
  resolveQuorum,
  type Roster,
  rosterBytes,
  rosterDigest,
  rosterFingerprint,
  runId,
  signStatement,
} from '@coferment/consortium';
import { bytesToHex, generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EpochSecrets } from '../../../client-agent/src/keys/epoch.secrets.js';
import { planParameters } from '../../../client-agent/src/policy/roster.policy.js';
import { approvePlan, approveRoster, offerSealingKey } from '../../../client-agent/src/rounds/approval.handlers.js';
import { dealKey } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import {
  CONSORTIUM,
  createMember,
  fixturePlan,
  type Member,
  removeMember,
  SharedBoard,
} from '../../../client-agent/src/rounds/members.fixture.js';
import { attack, failureOf, refusedWith } from './attacked.consortium.fixture.js';

const SITES = ['a', 'b', 'c', 'd'];
const plan = fixturePlan();
const digest = planDigest(plan);
const run = runId(digest, 1);
let board: SharedBoard;
let members: Member[];
let victim: Member;

beforeAll(async () => {
  await loadCrypto();
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  members = SITES.map((site) => createMember(site, board, generateIdentity().publicKey));
  [victim] = members as [Member];
  for (const member of members) {
    member.journal.approvals.decidePlan(digest, 1, 'approved', SITES);
    await approvePlan(member, { run, ordinal: 1, plan: digest, sites: SITES });
    await offerSealingKey(member, { run, ordinal: 1, plan: digest, epoch: 1 });
  }
});
afterAll(() => members.forEach(removeMember));

function roster(): Roster {
  const sites = members.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) }));
  const sealingKeys = members.map(({ site, store }) => {
    const key = bytesToHex(new EpochSecrets(store, run, 1).sealingKey().publicKey);
    return { site, key, envelope: sealingKeyOf(site, key) };
  });
  const numbers = resolveQuorum(plan, SITES.length);
  const keyHolders = SITES.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) }));
  return { sites, keyHolders, numbers, parameters: planParameters(plan, SITES.length), leftOut: [], sealingKeys };
}

const sealingKeyOf = (site: string, key: string, identity = members[SITES.indexOf(site)]!.identity) =>
  signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 1, site, key }, identity);

/** Offers it; a roster that is read is kept by its digest, which is no state that anything follows from. */
async function offered(forged: Roster): Promise<{ code: string; changed: string[]; sent: string[]; outcome: string }> {
  board.objects.set(rosterDigest(forged), rosterBytes(forged));
  let outcome = 'none';
  const seen = await attack(board, victim, async () => {
    ({ outcome } = await approveRoster(victim, { run, epoch: 1, roster: rosterDigest(forged) }));
  });
  return { ...seen, changed: seen.changed.filter((name) => !name.startsWith('objects/')), outcome };
}

describe('a roster other than the one that was read out over the telephone', () => {
  beforeAll(() => {
    for (const { journal } of members) journal.approvals.approveRoster(rosterFingerprint(roster()));
  });

  const impostor = generateIdentity();
  const forgeries: [string, string, (forged: Roster) => void][] = [
    [
      'the identity key of "b" replaced by one of the coordinator',
      'no refusal',
      (forged) => {
        forged.sites[1]!.identityKey = bytesToHex(impostor.publicKey);
        forged.sealingKeys[1]!.envelope = sealingKeyOf('b', forged.sealingKeys[1]!.key, impostor);
      },
    ],
    [
      'the identity keys of "b" and "c" exchanged',
      'wrong-key',
      (forged) => {
        const [, b, c] = forged.sites;
        [b!.identityKey, c!.identityKey] = [c!.identityKey, b!.identityKey];
      },
    ],
    ['its own identity key replaced', 'wrong-key', (forged) => (forged.sites[0]!.identityKey = bytesToHex(impostor.publicKey))],
    [
      'its own identity and sealing key replaced',
      'roster-own-key',
      (forged) => {
        forged.sites[0]!.identityKey = bytesToHex(impostor.publicKey);
        forged.sealingKeys[0]!.envelope = sealingKeyOf('a', forged.sealingKeys[0]!.key, impostor);
      },
    ],
    ['a sealing key replaced without its owner', 'invalid-roster', (forged) => (forged.sealingKeys[1]!.key = forged.sealingKeys[2]!.key)],
    ['two points exchanged', 'invalid-roster', (forged) => ([forged.keyHolders[0]!.point, forged.keyHolders[1]!.point] = [-1, 1])],
    ['one point doubled', 'invalid-roster', (forged) => (forged.keyHolders[1]!.point = 1)],
    ['the point zero, which opens every key', 'invalid-roster', (forged) => (forged.keyHolders[0]!.point = 0)],
    ['a holder twice', 'invalid-roster', (forged) => (forged.keyHolders[2]!.site = 'b')],
    [
      'holders in another order',
      'roster-rules',
      (forged) => forged.keyHolders.reverse().forEach((holder, at) => (holder.point = holderPoint(at))),
    ],
    ['a site left out', 'invalid-roster', (forged) => (forged.leftOut = ['d'])],
    ['a smaller quorum', 'invalid-roster', (forged) => (forged.numbers.rho -= 1)],
    ['fewer colluders assumed', 'invalid-roster', (forged) => Object.assign(forged.numbers, { c: 0, rho: 3, minContributors: 2 })],
    ['fewer contributors allowed', 'invalid-roster', (forged) => (forged.numbers.minContributors = 2)],
    ['a smaller κ', 'roster-rules', (forged) => (forged.parameters.kappa -= 1)],
    ['the parameters for tests', 'roster-rules', (forged) => (forged.parameters.set = 'INSECURE_TEST_1024')],
    [
      'a fifth site',
      'roster-sites',
      (forged) => {
        const site = 'zz';
        forged.sites.push({ site, identityKey: bytesToHex(impostor.publicKey) });
        forged.sealingKeys.push({ ...forged.sealingKeys[0]!, site });
        const numbers = resolveQuorum(plan, 5);
        Object.assign(forged, { numbers: { ...numbers, m: 4, tau: 3 }, parameters: { ...forged.parameters, sites: 5 } });
      },
    ],
  ];

  it.each(forgeries)('%s is not approved (%s), and has another fingerprint', async (what, code, forge) => {
    const forged = structuredClone(roster());
    forge(forged);
    expect(await offered(forged)).toEqual({ code, changed: [], sent: [], outcome: code === 'no refusal' ? 'waiting' : 'none' });
    if (!what.startsWith('a sealing key')) expect(rosterFingerprint(forged)).not.toBe(rosterFingerprint(roster()));
    expect(board.all('roster-approved')).toEqual([]);
  });

  it('is refused after the right one was signed, also when a person approves it by mistake', async () => {
    expect(() => checkRoster(roster())).not.toThrow();
    expect(await offered(roster())).toMatchObject({ code: 'no refusal', outcome: 'done', sent: ['roster-approved'] });
    const forged = structuredClone(roster());
    forgeries[0]![2](forged);
    victim.journal.approvals.approveRoster(rosterFingerprint(forged));
    expect(await offered(forged)).toMatchObject({ code: 'roster-changed', changed: [], sent: [] });
    expect(
      await attack(board, victim, () =>
        Promise.resolve(victim.journal.runs.openEpoch({ run, epoch: 0, roster: 'x', fingerprint: '', e0: '' })),
      ),
    ).toEqual(refusedWith('epoch-not-growing'));
  });
});

describe('a second run of the plan over all sites but "d"', () => {
  const second = { run: runId(digest, 2), ordinal: 2, plan: digest, sites: ['a', 'b', 'c'] };

  beforeEach(() => expect(victim.journal.runs.get(run)?.state).toBe('approved'));

  it('waits for a person of each site, whatever was approved for the first', async () => {
    for (const member of members.slice(0, 3)) {
      expect(await approvePlan(member, second)).toMatchObject({ outcome: 'waiting', reason: expect.stringContaining('a, b, c') });
      const name = { run: second.run, epoch: 1, sum: 5, kind: 'update' as const, round: 1, attempt: 1 };
      for (const work of [
        () => offerSealingKey(member, { ...second, epoch: 1 }),
        () => approveRoster(member, { run: second.run, epoch: 1, roster: rosterDigest(roster()) }),
        () => dealKey(member, { run: second.run, epoch: 1 }),
        () => prepareSum(member, { name }),
      ])
        expect(await attack(board, member, work)).toEqual(refusedWith('not-approved'));
    }
    expect(board.all('plan-approved')).toHaveLength(4);
  });

  it('cannot be approved before its sites are known, nor by an approval of other sites', async () => {
    expect(await failureOf(() => victim.journal.approvals.decidePlan(digest, 2, 'approved'))).toMatchObject({ code: 'not-approved' });
    victim.journal.approvals.decidePlan(digest, 2, 'approved', SITES);
    expect(await approvePlan(victim, second)).toMatchObject({ outcome: 'waiting' });
    expect(await attack(board, victim, () => approvePlan(victim, { ...second, sites: SITES }))).toEqual(refusedWith('run-changed'));
  });

  it('cannot pass for the first, come under another name, or leave the site itself out', async () => {
    expect(await attack(board, victim, () => approvePlan(victim, { ...second, run }))).toEqual(refusedWith('run-misnamed'));
    expect(await attack(board, victim, () => approvePlan(victim, { run, ordinal: 1, plan: digest, sites: ['a', 'b', 'c'] }))).toEqual(
      refusedWith('run-changed'),
    );
    const [third, sites] = [runId(digest, 3), ['b', 'c', 'd']];
    expect(await attack(board, victim, () => approvePlan(victim, { run: third, ordinal: 3, plan: digest, sites }))).toEqual(
      refusedWith('not-a-member'),
    );
    for (const unordered of [
      ['b', 'a', 'c'],
      ['a', 'a', 'b', 'c'],
    ])
      expect(await attack(board, victim, () => approvePlan(victim, { ...second, sites: unordered }))).toEqual(
        refusedWith('sites-unordered'),
      );
  });

  it('cannot be slipped in behind a later one', async () => {
    const third = { run: runId(digest, 3), ordinal: 3, plan: digest, sites: SITES };
    victim.journal.approvals.decidePlan(digest, 3, 'approved', SITES);
    await approvePlan(victim, third);
    victim.journal.approvals.decidePlan(digest, 2, 'approved', ['a', 'b', 'c']);
    expect(await attack(board, victim, () => approvePlan(victim, second))).toEqual(refusedWith('ordinal-not-growing'));
  });

  it('with a plan that is not canonical, or not a plan, is refused', async () => {
    for (const bytes of [Buffer.from('{'), Buffer.from(JSON.stringify(JSON.parse(Buffer.from(planBytes(plan)).toString()), null, 1))]) {
      const other = sha256Hex(bytes);
      board.objects.set(other, bytes);
      const asked = { run: runId(other, 1), ordinal: 1, plan: other, sites: SITES };
      const seen = await attack(board, victim, () => approvePlan(victim, asked));
      expect(seen).toMatchObject({ code: 'plan-malformed', sent: [] });
      expect(seen.changed.filter((name) => !name.startsWith('objects/'))).toEqual([]);
    }
  });
});
