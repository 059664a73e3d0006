import { combine, committeeConstants, loadCrypto, parameterSet } from '@coferment/crypto';
import { beforeAll, expect, it } from 'vitest';
import { requireSum } from '../../../client-agent/src/rounds/spot.check.js';
import { changedShare } from '../../../crypto/src/combination/block.integers.fixture.js';
import { plannedFor, scriptedCommittee } from '../../../crypto/src/combination/scripted.committee.fixture.js';
import { passingFractions } from '../../conformance/wrong-share.scene.js';

/*
 * One key holder, an honest coordinator. The share is off by a fraction of q that all relations pass and that changes the message in none of the sets that show
 * a single liar, so opening with those alone gives the true sum. A site that opened with each share left out as well would meet another set, refuse, and leave
 * the run for good over a sum that is right: the holder would end the run and make the coordinator look like a liar. So all open with the same sets, and such a
 * share stops the sum before anything is published.
 */

beforeAll(loadCrypto);

const COEFFICIENTS = 8;

/** Lies after which the coordinator would publish the true sum and a site refuse it. */
function framing(m: number, threshold: number): string[] {
  const parameters = plannedFor(m, threshold);
  const { uploads, shares: honest, expected: published } = scriptedCommittee(parameters, COEFFICIENTS);
  const { modulus } = parameterSet(parameters.set);
  const everybody = Array.from({ length: m }, (_, holder) => holder);
  const received = [everybody, ...everybody.map((absent) => everybody.filter((holder) => holder !== absent))];
  const lies = received
    .filter((holders) => holders.length > threshold)
    .flatMap((holders) => holders.flatMap((liar) => passingFractions(holders, liar, committeeConstants(m, threshold))));
  return lies.flatMap(({ received: holders, liar, k, u }) => {
    const shares = new Map(holders.map((holder) => [holder, honest.get(holder)!]));
    const change = (h: bigint, index: number) => (index === 0 ? h + (k * modulus) / u : h);
    shares.set(liar, changedShare(honest.get(liar)!, COEFFICIENTS, parameters, modulus, change));
    const opened = combine({ parameters, sum: uploads, coefficients: COEFFICIENTS, addends: m, shares });
    if (!opened.ok || opened.coefficients.some((coefficient, index) => coefficient !== published[index])) return [];
    try {
      requireSum({ parameters, uploads, shares, published });
      return [];
    } catch {
      return [`holder ${liar} of ${holders.join()}: ${k}/${u}`];
    }
  });
}

it.each([
  [5, 4],
  [7, 5],
  [8, 4],
])('with %i holders of whom %i open, a site refuses no true sum that an honest coordinator publishes', (m, threshold) => {
  const found = framing(m, threshold);
  expect(found).toEqual([]);
});
