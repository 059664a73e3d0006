import { planAggregation } from '@coferment/consortium';
import { committeeConstants, type DecodingSet, doubledNoise, loadCrypto, parameterSet, parityWeights } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodingSetsFor } from '../../../crypto/src/combination/decoding.choice.js';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { AttackerRing, modulo } from '../controls/ring.fixture.js';
import { LyingRound } from './lying-round.fixture.js';

/*
 * Lies that parity cannot see.
 * Who: ONE key holder of nine, seven needed, when exactly τ + 1 = 8 shares arrive. What it holds: its own key share.
 * The idea: a parity relation has integer weights μ. A share that is off by q·k/μ_j moves the relation by q·k, that is by nothing. The sum moves by
 * q·(w·k/μ_j) with w its decoding weight: to another message plus a residual of the fraction of t·w·k/μ_j, which for some (decoding set, holder) is
 * within what honest noise may be. No code for shares with noise can tell this from an honest release: there is a polynomial of degree below τ through
 * seven small errors and that lie.
 * What it gets where any τ shares open the sum: single coefficients replaced by values it cannot choose, unnoticed by parity and by the residual.
 * What it meets: decoding sets chosen by exact bounds such that the residual shows every such lie, or that its share has no part in. The search over
 * all committees is in test/conformance/wrong-share.conformance.ts.
 */

beforeAll(loadCrypto);

interface BlindSpot {
  received: number[];
  liar: number;
  decoding: DecodingSet;
  /** What to add to a coefficient of the liar's share. */
  lie: bigint;
  /** Distance of the moved sum from the nearest message, in units of q/t. */
  residual: number;
}

type Scene = Pick<HonestEpoch, 'committee' | 'parameters' | 'ring'>;
type Choice = (received: readonly number[], scene: Scene) => readonly DecodingSet[];

/** What a coordinator would take that opens with the first τ shares. */
const firstSet: Choice = (received, { committee }) => [
  committee.decodingSets.find(({ holders }) => holders.every((holder) => received.includes(holder)))!,
];
const ours: Choice = (received, { committee, parameters }) =>
  decodingSetsFor(received, committee, parameters, parameterSet(parameters.set));

/** Every (τ + 1)-set and holder for which some lie passes both checks, with its smallest one. */
function blindSpots(scene: Scene, choice: Choice): BlindSpot[] {
  const { committee, parameters, ring } = scene;
  const { decodingSets, points } = committee;
  const sets = decodingSets.flatMap(({ holders }) => points.flatMap((_, extra) => (extra > holders.at(-1)! ? [[...holders, extra]] : [])));
  return sets.flatMap((received) => {
    const [decoding, second] = choice(received, scene);
    expect(second).toBeUndefined();
    const weights = parityWeights(points, received);
    const bound = doubledNoise(committee, decoding!, { addends: parameters.sites, ...parameters }) / 2n;
    return decoding!.holders.flatMap((liar, at) => {
      const weight = weights[received.indexOf(liar)]!;
      const mu = weight < 0n ? -weight : weight;
      const lies = Array.from({ length: Number(mu) - 1 }, (_, index) => BigInt(index + 1)).flatMap((k): BlindSpot[] => {
        const turns = modulo(decoding!.weights[at]! * k, mu);
        if (turns === 0n) return [];
        const rest = modulo(ring.t * turns, mu);
        const distance = 2n * rest > mu ? mu - rest : rest;
        if (distance * ring.q >= bound * ring.t * mu) return [];
        return [{ received, liar, decoding: decoding!, lie: (ring.q * k) / mu, residual: Number(distance) / Number(mu) }];
      });
      return lies.toSorted((a, b) => a.residual - b.residual).slice(0, 1);
    });
  });
}

describe('under (9, 7)', () => {
  let round: LyingRound;
  let spots: BlindSpot[];
  beforeAll(() => {
    const epoch = new HonestEpoch({ sites: 9, keyHolders: 9, threshold: 7 });
    round = new LyingRound(epoch);
    spots = blindSpots(epoch, firstSet);
  });

  it('one holder changes a coefficient unnoticed where the first set of τ shares opens the sum; ours never opens to it', () => {
    const { received, liar, decoding, lie } = spots.toSorted((a, b) => a.residual - b.residual)[0]!;
    const lies = new Map([[liar, lie]]);
    let unnoticed = 0;
    for (let at = 0; at < 24; at++) {
      const control = round.open(decoding.holders, lies, at);
      if (control.ok) {
        const wrong = Array.from(control.coefficients.keys()).filter((index) => control.coefficients[index] !== round.expected[index]);
        expect(wrong).toEqual([at]);
        unnoticed++;
      }
      // All relations over the eight hold, so only the choice of the set that opens stands between the lie and the sum.
      const opened = round.open(received, lies, at);
      if (opened.ok) expect(opened.coefficients).toEqual(round.expected);
      else expect(opened.reason).toBe('residual');
    }
    expect(unnoticed).toBeGreaterThan(0);
  });

  it('no set of eight and no holder has such a lie with our choice', () => {
    expect(spots.length).toBeGreaterThan(0);
    expect(blindSpots(round.epoch, ours)).toEqual([]);
    for (const { received, liar, lie } of spots) {
      const opened = round.open(received, new Map([[liar, lie]]), 3);
      if (opened.ok) expect(opened.coefficients).toEqual(round.expected);
      else expect(opened.reason).toBe('residual');
    }
  });

  it('is found as soon as all nine shares are there, or the seven others alone are decoded', () => {
    for (const { received, liar, lie } of spots) {
      const lies = new Map([[liar, lie]]);
      expect(round.open(round.epoch.holders, lies, 3)).toMatchObject({ ok: false, reason: 'parity' });
      const others = received.filter((holder) => holder !== liar);
      expect(round.open(others, lies, 3)).toEqual({ ok: true, coefficients: round.expected });
    }
  });
});

describe('two liars with fractions that fit each other, under (9, 7)', () => {
  it('change nothing unnoticed with two shares to spare: each is opened without, and then the other stands alone', () => {
    const round = new LyingRound(new HonestEpoch({ sites: 9, keyHolders: 9, threshold: 7 }));
    const { epoch } = round;
    const { q } = epoch.ring;
    const lies = new Map([
      [4, (q * 267n) / 486n],
      [5, (q * 24n) / 486n],
    ]);
    for (let at = 0; at < 24; at++) expect(round.open(epoch.holders, lies, at)).toMatchObject({ ok: false, reason: 'residual' });
  });
});

describe('of other planned committees', () => {
  it.each([
    [100, 7, 5],
    [16, 11, 8],
    [16, 12, 9],
  ])('with %i sites under (%i, %i) no single lie is within the bound either', (sites, m, threshold) => {
    const parameters = planAggregation({ sites, keyHolders: m, threshold });
    const scene = { committee: committeeConstants(m, threshold), ring: AttackerRing.of(parameters), parameters };
    expect(blindSpots(scene, firstSet).length).toBeGreaterThan(0);
    expect(blindSpots(scene, ours)).toEqual([]);
  });
});
