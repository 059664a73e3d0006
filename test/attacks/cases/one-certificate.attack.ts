/*
 * Case 2. The coordinator and c corrupt sites, (7,5): everything they can send and sign. They show some honest sites the set A and others A without one
 * victim, in any order. Two certificates would open both sums, and their difference is the victim's update.
 */
import { checkCertificate, type Roster } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, loadCrypto } from '@coferment/crypto';
import fc from 'fast-check';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../../../client-agent/src/journal/journal.js';
import { attest, releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { CONSORTIUM, removeMember } from '../../../client-agent/src/rounds/members.fixture.js';
import type { FrozenSum } from '../../../client-agent/src/connection/instruction.parser.js';
import { temporaryFolder } from '../../../client-agent/src/testing/temporary.folder.fixture.js';
import { members } from '../../../consortium/src/context/members.fixture.js';
import { attack, AttackedConsortium, closeAll, failureOf, fork, refusedWith } from './attacked.consortium.fixture.js';

const SITES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const HONEST = ['a', 'b', 'c', 'd'];
const CORRUPT = ['e', 'f', 'g'];
const VICTIM = 'd';

beforeAll(loadCrypto);
afterAll(closeAll);

describe('seven sites, five of seven holders, three corrupt sites', () => {
  let consortium: AttackedConsortium;
  let whole: FrozenSum;
  let without: FrozenSum;

  beforeAll(async () => {
    consortium = await AttackedConsortium.inTraining(SITES);
    whole = await consortium.contribute(consortium.update());
    without = consortium.frozen(consortium.update(), consortium.without(VICTIM));
  });

  function certifies(roster: Roster, frozen: FrozenSum, attestations: readonly DsseEnvelope[]): boolean {
    const { round: _, ...name } = frozen.name;
    const { k, t, set, modelIn } = consortium.contextOf(frozen);
    try {
      checkCertificate({ roster, position: { consortium: CONSORTIUM, e: consortium.e, ...name }, k, t, set, modelIn, attestations });
      return true;
    } catch {
      return false;
    }
  }

  /** Each honest site is asked for both, in the order its bit says; the corrupt ones sign both. Returns what certifies what. */
  async function schedule(bits: number): Promise<{ whole: DsseEnvelope[]; without: DsseEnvelope[] }> {
    const signed = new Map([whole, without].map((frozen) => [frozen, CORRUPT.map((site) => consortium.corruptAttestation(site, frozen))]));
    for (const [index, site] of HONEST.entries()) {
      const member = fork(consortium.member(site));
      for (const frozen of (bits >> index) & 1 ? [whole, without] : [without, whole]) {
        const before = consortium.board.acts.length;
        await failureOf(attest(member, { sums: [frozen] }));
        signed.get(frozen)!.push(...consortium.board.acts.slice(before).map(({ envelope }) => envelope));
      }
      removeMember(member);
    }
    return { whole: signed.get(whole)!, without: signed.get(without)! };
  }

  it('certify at most one of A and A without the victim, whoever is asked first', async () => {
    let certified = 0;
    let bothUnderLess = 0;
    const { roster } = consortium;
    expect(roster.numbers).toMatchObject({ n: 7, m: 7, tau: 5, c: 3, rho: 6 });
    const weakened = { ...roster, numbers: { ...roster.numbers, rho: roster.numbers.rho - 1 } };
    for (let bits = 0; bits < 2 ** HONEST.length; bits++) {
      const { whole: forWhole, without: forWithout } = await schedule(bits);
      expect(forWhole.length + forWithout.length).toBe(HONEST.length + 2 * CORRUPT.length);
      const both = [certifies(roster, whole, forWhole), certifies(roster, without, forWithout)];
      expect(both).not.toEqual([true, true]);
      if (both.includes(true)) certified += 1;
      // One signature less to ask for, and the same schedule would have certified both.
      if (certifies(weakened, whole, forWhole) && certifies(weakened, without, forWithout)) bothUnderLess += 1;
    }
    // Three or four of four honest sites asked for the same first: 2·(4 + 1) of 16 schedules. Two and two: the other 6.
    expect(certified).toBe(10);
    expect(bothUnderLess).toBe(6);
  });

  it('get no share over the second set from any honest holder, also under a certificate it did not sign', async () => {
    for (const site of HONEST) await attest(consortium.member(site), { sums: [whole] });
    const certificate = [...CORRUPT, ...HONEST.slice(0, 3)].map((site) => consortium.corruptAttestation(site, without));
    for (const site of HONEST) {
      const victim = consortium.member(site);
      const own = HONEST.indexOf(site) < 3;
      // Whose own signature stands there forged by someone with its key: its journal does not know it, so that alone ends its part in the run.
      const asked = own ? certificate.filter((_, index) => index !== 3 + HONEST.indexOf(site)) : certificate;
      const code = own ? 'certificate-short' : 'sum-changed';
      expect(await attack(consortium.board, victim, () => releaseShare(victim, { frozen: without, certificate: asked }))).toEqual(
        refusedWith(code),
      );
    }
  });
});

describe('any n and any c that a plan may have', () => {
  const folder = temporaryFolder('certificates');
  const journals = Array.from({ length: 12 }, (_, site) => Journal.open(join(folder, `${site}.sqlite`), { identity: generateIdentity() }));
  afterAll(() => journals.forEach((journal) => journal.close()));
  let sequence = 0;

  it('sign two sets under no schedule, and one too few signatures would be enough for two', () => {
    const consortium = fc.integer({ min: 3, max: 12 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        c: fc.integer({ min: 0, max: Math.floor((n - 1) / 2) }),
        schedule: fc.array(fc.record({ site: fc.nat(n - 1), set: fc.boolean(), laterSum: fc.boolean() }), { maxLength: 4 * n }),
      }),
    );
    fc.assert(
      fc.property(consortium, ({ n, c, schedule }) => {
        sequence += 1;
        const rho = Math.floor((n + c) / 2) + 1;
        const modelIn = sequence.toString(16).padStart(64, '0');
        const signed = { first: new Set<number>(), second: new Set<number>() };
        for (let corrupt = 0; corrupt < c; corrupt++) for (const set of [signed.first, signed.second]) set.add(corrupt);
        for (const { site, set, laterSum } of schedule) {
          if (site < c) continue;
          const t = set ? '1'.repeat(64) : '2'.repeat(64);
          const freeze = {
            consortium: 'acme',
            run: `r${sequence}`,
            sum: laterSum ? 9 : 8,
            kind: 'update' as const,
            modelIn,
            t,
            set: t,
            sites: [],
          };
          try {
            journals[site]!.rounds.bindFreeze(freeze);
            (set ? signed.first : signed.second).add(site);
          } catch (error) {
            expect(['sum-changed', 'set-changed']).toContain((error as { code: string }).code);
          }
        }
        expect(signed.first.size >= rho && signed.second.size >= rho).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('need ρ exactly: with one less, c liars and a divided rest certify two sets', () => {
    for (let n = 3; n <= 128; n++) {
      for (let c = 0; c <= Math.floor((n - 1) / 2); c++) {
        const rho = Math.floor((n + c) / 2) + 1;
        const half = Math.floor((n - c) / 2);
        expect(c + half).toBeLessThan(rho);
        expect(c + half).toBeGreaterThanOrEqual(rho - 1);
        expect(2 * rho).toBeGreaterThan(n + c);
      }
    }
    expect(members(['a', 'b', 'c', 'd', 'e', 'f', 'g']).roster.numbers.rho).toBe(6);
  });
});
