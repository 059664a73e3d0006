/*
 * Case 18. A coordinator that holds a frozen sum over A starts a new key epoch without one victim, with fewer key holders, and tries to certify the same model's
 * sum over A without it: with a smaller ρ, n or c, c + 1 corrupt sites would be enough. It also tries to bring another identity key, or sum numbers that were
 * used, in with the new roster.
 */
import {
  epochSites,
  holderPoint,
  planAggregation,
  resolveQuorum,
  type Roster,
  rosterDigest,
  rosterFingerprint,
  signStatement,
} from '@coferment/consortium';
import { bytesToHex, generateIdentity, generateSealingKey, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FrozenSum } from '../../../client-agent/src/connection/instruction.parser.js';
import { checkRosterFor } from '../../../client-agent/src/policy/roster.policy.js';
import { CONSORTIUM, fixturePlan } from '../../../client-agent/src/rounds/members.fixture.js';
import { attest, releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { attack, AttackedConsortium, closeAll, failureOf, refusedWith } from './attacked.consortium.fixture.js';

describe('a new key epoch without the victim, and with fewer holders', () => {
  let consortium: AttackedConsortium;
  let smaller: FrozenSum;

  beforeAll(async () => {
    await loadCrypto();
    consortium = await AttackedConsortium.inTraining();
    const whole = await consortium.contribute(consortium.update());
    await consortium.certify([whole]);
    await consortium.renew({ epoch: 2, firstSum: 7, leftOut: ['d'], holders: ['a', 'b', 'c'] });
    smaller = await consortium.contribute(consortium.update(10), ['a', 'b', 'c']);
    consortium.checkpoint();
  });
  beforeEach(() => consortium.rewind());
  afterAll(closeAll);

  it('has the numbers of the first, and not one signature over the smaller set', async () => {
    expect(epochSites(consortium.roster)).toEqual(['a', 'b', 'c']);
    expect(consortium.roster.numbers).toMatchObject({ n: 4, rho: 3, c: 1, tau: 3 });
    for (const site of ['a', 'b', 'c', 'd'])
      expect(await attack(consortium.board, consortium.member(site), () => attest(consortium.member(site), { sums: [smaller] }))).toEqual(
        refusedWith('set-changed'),
      );
  });

  it('gets no share over it, also under ρ signatures of sites whose keys the coordinator has', async () => {
    for (const [site, others] of [
      ['a', ['b', 'c', 'd']],
      ['b', ['a', 'c', 'd']],
    ] as const) {
      const victim = consortium.member(site);
      const certificate = others.map((other) => consortium.corruptAttestation(other, smaller));
      expect(await attack(consortium.board, victim, () => releaseShare(victim, { frozen: smaller, certificate }))).toEqual(
        refusedWith('set-changed'),
      );
    }
  });

  it('opens nothing under the certificate of the epoch before', async () => {
    const a = consortium.member('a');
    const old = consortium.board.all('attestation').filter((envelope) => Buffer.from(envelope.payload, 'base64').includes('"sum":6'));
    expect(old).toHaveLength(4);
    expect(await attack(consortium.board, a, () => releaseShare(a, { frozen: smaller, certificate: old.slice(1) }))).toEqual(
      refusedWith('other-position'),
    );
  });
});

describe('the roster of a later key epoch', () => {
  const plan = fixturePlan();
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const run = 'r1-0123456789abcdef';
  let made: { site: string; identity: ReturnType<typeof generateIdentity>; sealing: ReturnType<typeof generateSealingKey> }[];

  beforeAll(async () => {
    await loadCrypto();
    made = ids.map((site) => ({ site, identity: generateIdentity(), sealing: generateSealingKey() }));
  });

  function rosterOf(leftOut: string[], holders: string[], firstSum: number): Roster {
    const first = resolveQuorum(plan, ids.length);
    const numbers = { ...first, m: holders.length };
    const { valueBits } = plan.quantisation;
    return {
      sites: made.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) })),
      keyHolders: holders.map((site, position) => ({ site, point: holderPoint(position) })),
      numbers,
      parameters: planAggregation({ sites: first.n, keyHolders: holders.length, threshold: first.tau, valueBits }),
      leftOut,
      sealingKeys: made
        .filter(({ site }) => !leftOut.includes(site))
        .map(({ site, identity, sealing }) => {
          const key = bytesToHex(sealing.publicKey);
          return { site, key, envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 2, site, key }, identity) };
        }),
      firstSum,
    };
  }

  const before = () => rosterOf([], ids, 1);
  const renewed = () => rosterOf(['g'], ids.slice(0, 6), 13);
  const check = (roster: Roster) => {
    const [a] = made;
    const own = { site: 'a', identityKey: a!.identity.publicKey, sealingKey: a!.sealing.publicKey };
    return failureOf(() =>
      checkRosterFor(roster, { consortium: CONSORTIUM, run, epoch: 2, plan, sites: ids, own, before: before(), largestSum: 12 }),
    );
  };

  it('without one site and with fewer holders is shown to a person, under another fingerprint', async () => {
    expect(await check(renewed())).toMatchObject({ code: 'no refusal' });
    expect(rosterFingerprint(renewed())).not.toBe(rosterFingerprint(before()));
    expect(rosterDigest(renewed())).not.toBe(rosterDigest(before()));
  });

  it.each<[string, string, (roster: Roster) => unknown]>([
    ['ρ of the sites that are left', 'invalid-roster', (roster) => (roster.numbers.rho = Math.floor((6 + 3) / 2) + 1)],
    ['n of the sites that are left', 'invalid-roster', (roster) => Object.assign(roster.numbers, { n: 6, rho: 5, c: 2 })],
    ['a smaller c', 'roster-rules', (roster) => Object.assign(roster.numbers, { c: 2, rho: 5, minContributors: 4 })],
    ['fewer contributors', 'roster-rules', (roster) => (roster.numbers.minContributors -= 1)],
    ['a smaller threshold', 'roster-rules', (roster) => (roster.numbers.tau -= 1)],
    ['fewer holders than τ', 'roster-rules', (roster) => (roster.numbers.m = roster.keyHolders.splice(4).length * 2)],
    ['another packing', 'roster-rules', (roster) => (roster.parameters.valueBits -= 1)],
    ['sum numbers that were used', 'roster-first-sum', (roster) => (roster.firstSum = 12)],
    ['sum numbers beyond the maximum', 'roster-first-sum', (roster) => (roster.firstSum = 900)],
    [
      'another identity key for "b"',
      'roster-identity',
      (roster) => {
        const impostor = generateIdentity();
        roster.sites[1]!.identityKey = bytesToHex(impostor.publicKey);
        const entry = roster.sealingKeys[1]!;
        entry.envelope = signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 2, site: 'b', key: entry.key }, impostor);
      },
    ],
  ])('with %s is refused (%s)', async (_what, code, change) => {
    const roster = structuredClone(renewed());
    change(roster);
    const seen = await check(roster);
    // Numbers that contradict each other are no roster at all; those that only differ from the first are another one.
    expect(code === 'invalid-roster' ? ['invalid-roster', 'roster-rules'] : [code]).toContain(seen.code);
  });
});
