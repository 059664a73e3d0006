import { digest, loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { drawBlocks, requireSum } from '../../../client-agent/src/rounds/spot.check.js';
import { HonestEpoch } from '../controls/epoch.fixture.js';

/*
 * A false sum in some blocks.
 * Who: the coordinator. What it holds: the operator's key, with which it signs what it publishes. It publishes a sum that is its own in a tenth of the
 * blocks: enough to move the model a little, call it new, and have it summed over fewer sites.
 * What it meets: every site draws 3 blocks from its own operating system and opens them again before it applies anything; an auditor opens all of them.
 */

const DRAWN = 3;

/** Probability that DRAWN different blocks of `blocks`, all equally likely, hold one of `wrong`: exact fractions until the last step. */
function found(blocks: number, wrong: number): number {
  const drawn = Math.min(DRAWN, blocks);
  let missed = 1;
  for (let i = 0; i < drawn; i++) missed *= (blocks - wrong - i) / (blocks - i);
  return 1 - Math.max(0, missed);
}

describe('a sum that is false in a tenth of its blocks', () => {
  it('is found by one site in one round with at least 27 %, for any number of blocks', () => {
    for (let blocks = 1; blocks <= 5000; blocks++) expect(found(blocks, Math.ceil(blocks / 10))).toBeGreaterThanOrEqual(0.27);
    expect(found(100, 10)).toBeCloseTo(0.2735, 4);
    // Five honest sites see it with 79 % in one round; over three rounds one of them does with 99 %.
    expect(1 - (1 - found(100, 10)) ** 5).toBeGreaterThan(0.79);
    expect(1 - (1 - found(100, 10)) ** 15).toBeGreaterThan(0.99);
  });

  it.each([
    [10, 1],
    [42, 5],
    [100, 10],
    [1000, 100],
  ])("is found as often by the product's own draw: %i blocks, %i of them false", (blocks, wrong) => {
    const draws = 30_000;
    // Wherever the false blocks are: at the start, at the end, spread.
    const places = [
      (block: number) => block < wrong,
      (block: number) => block >= blocks - wrong,
      (block: number) => block % Math.floor(blocks / wrong) === 1 && block < Math.floor(blocks / wrong) * wrong,
    ];
    const hits = places.map(() => 0);
    for (let draw = 0; draw < draws; draw++) {
      const drawn = drawBlocks(blocks);
      places.forEach((isFalse, index) => (hits[index]! += drawn.some(isFalse) ? 1 : 0));
    }
    const p = found(blocks, wrong);
    const sigma = Math.sqrt((p * (1 - p)) / draws);
    for (const count of hits) {
      expect(Math.abs(count / draws - p)).toBeLessThan(6 * sigma);
      expect(count / draws).toBeGreaterThan(0.27 - 6 * sigma);
    }
  });

  it('is drawn anew by every site: what one draws tells nothing about another', () => {
    const draws = Array.from({ length: 200 }, () => drawBlocks(1000).join());
    expect(new Set(draws).size).toBeGreaterThan(195);
  });
});

describe('ten blocks of which one is false', () => {
  const K = digest('spot-check');
  let blocks: Parameters<typeof requireSum>[0][];

  beforeAll(async () => {
    await loadCrypto();
    const epoch = new HonestEpoch({ sites: 4, keyHolders: 4, threshold: 3 });
    // Ten sums of one block: a block is opened by itself, so ten of them serve as well as one sum of ten.
    blocks = Array.from({ length: 10 }, (_, block) => {
      const k = digest(K, block);
      const vector = BigUint64Array.from({ length: 300 }, (__, index) => BigInt(index + block));
      const uploads = epoch.sites.map((site) => epoch.encrypt(site, k, vector));
      const shares = epoch.releaseAll(epoch.holders, { k, sites: epoch.sites, coefficients: vector.length });
      return { parameters: epoch.parameters, uploads, shares, published: vector.map((value) => 4n * value) };
    });
    blocks[6]!.published[17]! += 1n;
  });

  const isRefused = (block: number): boolean => {
    try {
      requireSum(blocks[block]!);
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'sum-unverified' });
      return true;
    }
  };

  it('are told apart by opening: an auditor that opens all always finds it, a site when it draws it', () => {
    const verdicts = blocks.map((_, block) => isRefused(block));
    expect(verdicts).toEqual(blocks.map((_, block) => block === 6));
    const rounds = 2000;
    let sites = 0;
    for (let round = 0; round < rounds; round++) {
      const drawn = drawBlocks(blocks.length);
      if (drawn.some((block) => verdicts[block])) sites++;
    }
    // Three of ten.
    expect(Math.abs(sites / rounds - 0.3)).toBeLessThan(0.06);
  });
});
