import { loadCrypto, parityWeights } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { subsetsOf } from '../../../crypto/src/committee/lagrange.rational.js';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { modulo } from '../controls/ring.fixture.js';
import { LyingRound } from './lying-round.fixture.js';

/*
 * Key holders who lie by simple fractions of q, and who is named for it.
 * Who: one key holder, which is a site too and uploads a vector; or two of them. What they want: that nobody is named, or another.
 * A lie of q·k/u passes every relation in which its weight is a multiple of u. Where all relations that fail also have an honest holder in them, shares
 * alone cannot tell which of the two lied: a lie of the other gives the same values. Opening the sum without the one and without the other could, if
 * uploads were honest; the liar's own need not be.
 */

beforeAll(loadCrypto);

type Fraction = readonly [k: number, u: number];

/** Relations over τ + 1 of the received shares, as |value| of the shares of `lies` in units of q. */
function relationValues({ committee }: HonestEpoch, received: readonly number[], lies: ReadonlyMap<number, Fraction>) {
  const denominator = [...lies.values()].reduce((product, [, u]) => product * u, 1);
  return Array.from(subsetsOf(received.length, committee.threshold + 1), (chosen) => {
    const holders = chosen.map((index) => received[index]!);
    const weights = parityWeights(committee.points, holders);
    const sum = [...lies].reduce((total, [liar, [k, u]]) => {
      const at = holders.indexOf(liar);
      return at < 0 ? total : total + weights[at]! * BigInt(k) * BigInt(denominator / u);
    }, 0n);
    return { holders, value: Number(modulo(sum, BigInt(denominator))) / denominator };
  });
}

/** Holders that are in every relation which fails. */
function suspectsOf(epoch: HonestEpoch, received: readonly number[], lies: ReadonlyMap<number, Fraction>): number[] {
  const failed = relationValues(epoch, received, lies).filter(({ value }) => value !== 0);
  return received.filter((holder) => failed.every(({ holders }) => holders.includes(holder)));
}

const asLies = ({ ring }: HonestEpoch, lies: ReadonlyMap<number, Fraction>) =>
  new Map([...lies].map(([liar, [k, u]]) => [liar, (ring.q * BigInt(k)) / BigInt(u)]));

describe.each([
  [6, 4],
  [7, 5],
  [8, 5],
])('a lie of q/3 of one holder under (%i, %i)', (m, threshold) => {
  let round: LyingRound;
  beforeAll(() => {
    round = new LyingRound(new HonestEpoch({ sites: m, keyHolders: m, threshold }));
  });

  it('LIMIT: is detected at τ + 2, and named only where no other holder is in all relations that fail', () => {
    const { epoch } = round;
    const received = epoch.holders.slice(0, threshold + 2);
    let unnamed = 0;
    for (const liar of received) {
      const lies = new Map<number, Fraction>([[liar, [1, 3]]]);
      const suspects = suspectsOf(epoch, received, lies);
      const outcome = round.open(received, asLies(epoch, lies), 3);
      if (suspects.length > 1) unnamed++;
      expect(suspects).toContain(liar);
      expect(suspects.length).toBeLessThan(received.length);
      expect(outcome).toEqual({ ok: false, reason: 'parity', ...(suspects.length === 1 ? { wrong: [liar] } : {}) });
    }
    expect(unnamed).toBeGreaterThan(0);
  });

  it('has the same relations as a lie of the other suspect: shares cannot tell', () => {
    const { epoch } = round;
    const received = epoch.holders.slice(0, threshold + 2);
    let pairs = 0;
    for (const liar of received) {
      const lies = new Map<number, Fraction>([[liar, [1, 3]]]);
      const values = relationValues(epoch, received, lies).map(({ value }) => value.toFixed(9));
      const suspects = suspectsOf(epoch, received, lies);
      for (const other of suspects) {
        if (other === liar) continue;
        const denominators = Array.from({ length: 300 }, (_, index) => index + 2);
        const same = denominators.some((u) =>
          Array.from({ length: u - 1 }, (_, index) => new Map<number, Fraction>([[other, [index + 1, u]]])).some((candidate) =>
            relationValues(epoch, received, candidate).every(({ value }, index) => value.toFixed(9) === values[index]),
          ),
        );
        expect(same).toBe(true);
        pairs++;
      }
    }
    expect(pairs).toBeGreaterThan(0);
  });
});

describe('a liar that also uploads a vector that is off, under (6, 4)', () => {
  it('makes an honest holder the only one without whom the sum opens; nobody is named', () => {
    const epoch = new HonestEpoch({ sites: 6, keyHolders: 6, threshold: 4 });
    const { committee, ring, holders } = epoch;
    const round = new LyingRound(epoch);
    const [honest, liar, at] = [0, 3, 3];
    const lies = new Map<number, Fraction>([[liar, [1, 6]]]);
    expect(suspectsOf(epoch, holders, lies)).toEqual([honest, liar]);
    // L1·L2(D) times this is a whole step of q/t for the set without both, and what the lie takes off for every set with the liar.
    const uploads = round.uploadsOff(liar, ring.q / (ring.t * committee.L1 * 20n), at);
    const opensWithout = (suspect: number): boolean =>
      committee.decodingSets
        .filter((decoding) => !decoding.holders.includes(suspect))
        .every((decoding) => round.open(decoding.holders, asLies(epoch, lies), at, uploads).ok);
    // CONTROL: who named the one of the suspects without whom the sum opens would name the wrong one.
    expect([opensWithout(honest), opensWithout(liar)]).toEqual([true, false]);
    expect(round.open(holders, asLies(epoch, lies), at, uploads)).toEqual({ ok: false, reason: 'parity' });
  });
});

describe('two liars with fractions of q under (8, 5)', () => {
  it('make an honest holder the only suspect at τ + 3; nobody is named', () => {
    const epoch = new HonestEpoch({ sites: 8, keyHolders: 8, threshold: 5 });
    const { holders, committee } = epoch;
    const round = new LyingRound(epoch);
    const lies = new Map<number, Fraction>([
      [5, [1, 2]],
      [7, [1, 5]],
    ]);
    // CONTROL: the only holder in all relations that fail is honest, and the sum opens without it.
    expect(suspectsOf(epoch, holders, lies)).toEqual([0]);
    for (const decoding of committee.decodingSets) {
      if (!decoding.holders.includes(0)) expect(round.open(decoding.holders, asLies(epoch, lies), 3).ok).toBe(true);
    }
    expect(round.open(holders, asLies(epoch, lies), 3)).toEqual({ ok: false, reason: 'parity' });
  });
});
