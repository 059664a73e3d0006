import { checkEpoch, type EpochPosition, peekStatement, signStatement } from '@coferment/consortium';
import { deal, digest, hash, loadCrypto, sha256Hex, xof } from '@coferment/crypto';
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ScriptedConsortium } from '../../../client-agent/src/rounds/consortium.fixture.js';
import { dealKey } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { HonestEpoch } from './epoch.fixture.js';
import { agreement } from './measure.fixture.js';
import { type AttackerRing, bytesOf, inverseModulo, modulo, type Slots, slotsOf } from './ring.fixture.js';

/*
 * A second challenge for one mask.
 * Who: anybody who reads what dealers publish. What they hold: two versions of one dealing's public part.
 * Weakened design: a dealer that crashes between drawing and sending starts again with the polynomials and masks it had stored, but with fresh salts, so
 * its commitments and the challenge β change. It has then published W = R + β·S and W′ = R + β′·S.
 * What they get: S = (W − W′)/(β − β′), all τ coefficients of it, among them S(0) = s: the secret key from public data.
 * Ours: everything of a dealing is drawn anew by every call, and an agent keeps the first dealing on its disk and sends those bytes after a crash.
 */

const DEALER = 'site-01';
let epoch: HonestEpoch;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 3, keyHolders: 3, threshold: 3 });
});

interface Published {
  commitments: string[];
  /** R¹ + β¹·S, lowest coefficient first. */
  masked: Slots[];
}

/** β¹ for each prime; what a reader recomputes from the commitments. */
function challenge(ring: AttackerRing, commitments: readonly string[]): bigint[] {
  const stream = xof('deal-beta', epoch.e0, DEALER, commitments);
  return ring.primes.map((prime) => stream.uniformBelow(prime));
}

const scaled = (ring: AttackerRing, element: Slots, byPrime: readonly bigint[]): Slots =>
  element.map((value, index) => {
    const p = Math.floor(index / ring.degree);
    return modulo(value * byPrime[p]!, ring.primes[p]!);
  });

function randomElement(ring: AttackerRing): Slots {
  const stream = xof('random-element', new Uint8Array(randomBytes(32)));
  return ring.constant(0n).map((_, index) => stream.uniformBelow(ring.primes[Math.floor(index / ring.degree)]!));
}

/** The careless dealer: stored polynomials and masks, fresh salts. */
function restartedDealing(ring: AttackerRing, polynomial: readonly Slots[], mask: readonly Slots[]): Published {
  const at = (coefficients: readonly Slots[], point: number): Slots =>
    coefficients.reduceRight((value, coefficient) => ring.add(coefficient, value, BigInt(point)));
  const commitments = epoch.committee.points.map((point) => {
    const values = [polynomial, mask].map((coefficients) => bytesOf(at(coefficients, point)));
    return Buffer.from(hash('dealing-commitment', new Uint8Array(randomBytes(32)), ...values)).toString('hex');
  });
  const beta = challenge(ring, commitments);
  return { commitments, masked: mask.map((element, degree) => ring.add(element, scaled(ring, polynomial[degree]!, beta))) };
}

/** What anybody computes from two published versions. */
function secretFrom(ring: AttackerRing, first: Published, second: Published): Slots {
  const [beta, beta2] = [first, second].map(({ commitments }) => challenge(ring, commitments)) as [bigint[], bigint[]];
  const inverse = beta.map((value, p) => inverseModulo(value - beta2[p]!, ring.primes[p]!));
  return scaled(ring, ring.add(first.masked[0]!, second.masked[0]!, -1n), inverse);
}

describe('two challenges to one dealing', () => {
  it('give the secret key where the masks are kept over a restart', () => {
    const { ring } = epoch;
    const polynomial = [slotsOf(epoch.secretKey(DEALER)), randomElement(ring), randomElement(ring)];
    const mask = [randomElement(ring), randomElement(ring), randomElement(ring)];
    const stolen = secretFrom(ring, restartedDealing(ring, polynomial, mask), restartedDealing(ring, polynomial, mask));
    expect(agreement(stolen, polynomial[0]!)).toBe(1);
  });

  it('give nothing in ours, where every dealing has its own masks and its own key', () => {
    const { ring, parameters, e0 } = epoch;
    const published = [deal({ e0, dealer: DEALER, parameters }), deal({ e0, dealer: DEALER, parameters })].map((dealing) => ({
      commitments: dealing.commitments,
      masked: [slotsOf(dealing.masked.subarray(0, ring.primes.length * ring.degree * 8))],
      secretKey: slotsOf(dealing.secretKey),
    }));
    const [first, second] = published as [(typeof published)[0], (typeof published)[0]];
    expect(agreement(first.secretKey, second.secretKey)).toBeLessThan(0.01);
    const stolen = secretFrom(ring, first, second);
    for (const { secretKey } of published) expect(agreement(stolen, secretKey)).toBe(0);
  });
});

describe('an agent that is killed after it has dealt', () => {
  it('sends the same bytes again, and no epoch comes of a second dealing', async () => {
    const consortium = new ScriptedConsortium();
    consortium.openEpoch();
    const { board, run, roster, e0 } = consortium;
    await dealKey(consortium.member('a'), { run, epoch: 1 });
    const before = [...board.objects].map(([object, bytes]) => [object, sha256Hex(bytes)]);
    await dealKey(consortium.restart('a'), { run, epoch: 1 });
    const [first, again] = board.all('dealing').map((envelope) => peekStatement(envelope));
    expect(again).toEqual(first);
    expect([...board.objects].map(([object, bytes]) => [object, sha256Hex(bytes)])).toEqual(before);

    // A dealer and a coordinator that show two dealings to two holders: E is over one, and needs every holder's acknowledgement of that one.
    await consortium.ceremony();
    const position: EpochPosition = { consortium: 'acme', run, epoch: 1, e0 };
    const [dealings, acknowledgements] = [board.latest('dealing'), board.all('dealing-ack')];
    expect(checkEpoch({ roster, position, dealings, acknowledgements }).e).toBe(consortium.e);
    const elsewhere = signStatement(
      'dealing-ack',
      { ...position, dealer: 'a', site: 'b', dealing: digest('the other dealing of a') },
      consortium.member('b').identity,
    );
    expect(() => checkEpoch({ roster, position, dealings, acknowledgements: [...acknowledgements, elsewhere] })).toThrow(
      '"b" acknowledged another dealing of "a"',
    );
    expect(() => checkEpoch({ roster, position, dealings, acknowledgements: acknowledgements.slice(1) })).toThrow('has not acknowledged');
    consortium.close();
  });
});
