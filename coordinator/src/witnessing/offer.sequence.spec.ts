import {
  appendSignatures,
  cosign,
  openNote,
  parseNote,
  publicKeyFromSeed,
  signCheckpoint,
  verifierKey,
  witnessName,
} from '@coferment/ledger';
import { describe, expect, it } from 'vitest';
import { CheckpointOffer, MOST_COSIGNATURES } from './checkpoint.offer.js';
import { OfferSequence } from './offer.sequence.js';

const ORIGIN = 'ledger.example/acme';
const LOG = new Uint8Array(32).fill(1);
const seedOf = (site: string) => new Uint8Array(32).fill(0).map((_, index) => site.charCodeAt(index % site.length));
const keyOf = (site: string) => verifierKey('witness', witnessName(ORIGIN, site), publicKeyFromSeed(seedOf(site)));
const lineOf = (text: string, site: string) => cosign(text, 1_700_000_000n, { name: witnessName(ORIGIN, site), seed: seedOf(site) });

function offer(size: number, quorum: number, sites: string[], beganMs = 0): CheckpointOffer {
  const signed = signCheckpoint({ origin: ORIGIN, size: BigInt(size), root: new Uint8Array(32).fill(size) }, LOG);
  return new CheckpointOffer(size, signed, { keys: sites.map(keyOf), quorum, policy: '' }, beganMs);
}

function cosigned(checkpoint: CheckpointOffer, ...sites: string[]): CheckpointOffer {
  for (const site of sites) checkpoint.add(checkpoint.verify([lineOf(checkpoint.text, site)], keyOf(site)));
  return checkpoint;
}

describe('a checkpoint that is offered', () => {
  it('meets its quorum with witnesses of its own, each counted once', () => {
    const checkpoint = cosigned(offer(5, 2, ['a', 'b']), 'a', 'a', 'stranger');
    expect(checkpoint.isMet).toBe(false);
    expect(cosigned(checkpoint, 'b').isMet).toBe(true);
    const log = verifierKey('log', ORIGIN, publicKeyFromSeed(LOG));
    const keys = [log, ...['a', 'stranger', 'b'].map(keyOf)];
    expect(openNote(checkpoint.note, keys).verifiedBy).toEqual(keys);
  });

  it.each([
    ['of another checkpoint', (text: string) => lineOf(text.replace('5', '6'), 'a'), 'bad-signature'],
    ['of another witness', (text: string) => lineOf(text, 'b'), 'forbidden'],
    [
      'of another seed under its name',
      (text: string) => ({ ...lineOf(text, 'b'), name: keyOf('a').name, keyId: keyOf('a').keyId }),
      'bad-signature',
    ],
    ['that is too short', (text: string) => ({ ...lineOf(text, 'a'), bytes: new Uint8Array(64) }), 'bad-signature'],
    ['with another time', (text: string) => ({ ...lineOf(text, 'a'), bytes: lineOf(text, 'a').bytes.with(7, 9) }), 'bad-signature'],
  ])('takes no cosignature %s', (_, line, code) => {
    const checkpoint = offer(5, 1, ['a', 'b']);
    expect(() => checkpoint.verify([line(checkpoint.text)], keyOf('a'))).toThrow(expect.objectContaining({ code }));
    expect(checkpoint.cosignatures).toEqual([]);
  });

  it('never carries more lines than a note may have', () => {
    const sites = Array.from({ length: MOST_COSIGNATURES + 5 }, (_, index) => `site-${index}`);
    const checkpoint = cosigned(offer(5, 1, sites), ...sites);
    expect(parseNote(checkpoint.note).signatures).toHaveLength(MOST_COSIGNATURES + 1);
    expect(() => appendSignatures(checkpoint.note, [lineOf(checkpoint.text, 'a')])).toThrow('signature lines');
  });
});

describe('checkpoints one after the other', () => {
  it('wait for the quorum of the one before, or for as long as it was waited for', () => {
    const sequence = new OfferSequence(10);
    expect(sequence.isDue(3, 0)).toBe(true);
    const first = offer(3, 1, ['a'], 100);
    sequence.begin(first, 100);
    expect([sequence.isDue(3, 1000), sequence.isDue(4, 109), sequence.isDue(4, 110)]).toEqual([false, false, true]);
    expect([sequence.published(109), sequence.published(110)]).toEqual([undefined, first]);
    expect(sequence.witnessed).toBeUndefined();
    cosigned(first, 'a');
    expect(sequence.witnessed).toBe(first);
    expect(sequence.isDue(4, 101)).toBe(true);
  });

  it('wait for nobody where too few witnesses are known', () => {
    const sequence = new OfferSequence(10);
    const alone = offer(3, 2, ['a'], 100);
    sequence.begin(alone, 100);
    expect(sequence.isDue(4, 100)).toBe(true);
    expect(sequence.published(100)).toBe(alone);
    expect(sequence.witnessed).toBeUndefined();
  });

  it('never show less than before: not after a late quorum of a smaller one, and not when the clock is put back', () => {
    const sequence = new OfferSequence(10);
    const [small, large] = [offer(3, 1, ['a'], 100), offer(4, 1, ['a'], 110)];
    sequence.begin(small, 100);
    sequence.begin(large, 110);
    expect(sequence.published(120)).toBe(large);
    cosigned(small, 'a');
    expect(sequence.witnessed).toBe(small);
    expect(sequence.published(112)).toBe(large);
    expect(sequence.published(50)).toBe(large);
    cosigned(large, 'a');
    expect(sequence.witnessed).toBe(large);
  });

  it('are not published without their quorum once there was one, unless it cannot be met any more', () => {
    const sequence = new OfferSequence(10);
    const first = cosigned(offer(3, 2, ['a', 'b'], 100), 'a', 'b');
    sequence.begin(first, 100);
    sequence.begin(cosigned(offer(4, 2, ['a', 'b'], 110), 'a'), 110);
    sequence.begin(offer(5, 2, ['a', 'b'], 120), 120);
    expect(sequence.published(1000)).toBe(first);
    // Nobody waits for it, and rounds go on.
    expect(sequence.isDue(6, 1000)).toBe(true);
    const alone = offer(6, 2, ['a'], 130);
    sequence.begin(alone, 130);
    expect(sequence.published(1000)).toBe(alone);
    sequence.begin(offer(7, 2, ['a', 'b'], 140), 140);
    expect(sequence.published(1000)).toBe(alone);
  });

  it('do not show less after a restart, when a smaller one had its quorum late', () => {
    const sequence = new OfferSequence(10);
    const large = offer(4, 1, ['a'], 110);
    sequence.begin(cosigned(offer(3, 1, ['a'], 100), 'a'), 1000);
    sequence.begin(large, 1000, true);
    expect(sequence.published(1000)).toBe(large);
    for (let size = 5; size < 30; size++) sequence.begin(offer(size, 1, ['a'], 120), 1000);
    expect(sequence.published(1000)).toBe(large);
    expect(sequence.offers).toContain(large);
  });

  it.each<[string, number, number[]]>([
    ['two half a turn apart', 2, [0, 10]],
    ['two a moment apart', 2, [0, 1]],
    ['three, of which one comes all the time', 3, [-1, 0, 10]],
    ['four all over the turn', 4, [0, 5, 10, 15]],
    ['three of five', 3, [0, 4, 8, 12, 16]],
  ])('have their quorum though witnesses come each at another time, and entries all the time: %s', (_, quorum, phases) => {
    const met = simulate(quorum, phases);
    expect(met.length).toBeGreaterThan(10);
    // None is waited for longer than two turns of the slowest witness.
    expect(Math.max(...met.map((second, index) => second - (met[index - 1] ?? 0)))).toBeLessThanOrEqual(40);
  });

  /** Ten minutes in which a checkpoint is offered for ten seconds and every witness comes each 20 s from its phase on, or each second. @returns when quorums were met */
  function simulate(quorum: number, phases: readonly number[]): number[] {
    const sequence = new OfferSequence(10_000);
    const sites = phases.map((_, index) => `site-${index}`);
    const seen = new Map(sites.map((site) => [site, 0]));
    const met: number[] = [];
    let last = 0;
    for (let second = 0; second < 600; second++) {
      const nowMs = second * 1000;
      if (sequence.isDue(second + 1, nowMs)) sequence.begin(offer(second + 1, quorum, sites, nowMs), nowMs);
      for (const [index, site] of sites.entries()) {
        if (phases[index] !== -1 && second % 20 !== phases[index]) continue;
        for (let owed = sequence.owed(keyOf(site), seen.get(site)!); owed !== undefined;) {
          cosigned(owed, site);
          seen.set(site, owed.size);
          owed = sequence.owed(keyOf(site), owed.size);
        }
      }
      const size = sequence.witnessed?.size ?? 0;
      if (size > last) met.push(second);
      last = size;
    }
    return met;
  }

  it('are asked for of whoever counts: the one that is nearest to its quorum, and nothing that was passed', () => {
    const sequence = new OfferSequence(10);
    const [one, two, three] = [
      offer(1, 3, ['a', 'b', 'c', 'd'], 0),
      offer(2, 3, ['a', 'b', 'c', 'd'], 10),
      offer(3, 3, ['a', 'b', 'c', 'd'], 20),
    ];
    for (const each of [one, two, three]) sequence.begin(each, 100);
    expect(sequence.owed(keyOf('a'), 0)).toBe(three);
    cosigned(one, 'a', 'b');
    cosigned(two, 'a');
    expect(sequence.owed(keyOf('c'), 0)).toBe(one);
    expect(sequence.owed(keyOf('c'), 1)).toBe(two);
    expect(sequence.owed(keyOf('b'), 1)).toBe(two);
    expect(sequence.owed(keyOf('stranger'), 0)).toBe(three);
    cosigned(one, 'c');
    expect(sequence.owed(keyOf('d'), 0)).toBe(two);
    expect(sequence.owed(keyOf('d'), 2)).toBe(three);
    expect(sequence.owed(keyOf('d'), 3)).toBeUndefined();
    cosigned(three, 'd');
    expect(sequence.owed(keyOf('d'), 2)).toBeUndefined();
  });

  it('are kept in a bounded number, the witnessed one however old it is', () => {
    const sequence = new OfferSequence(10);
    const dropped: number[] = [];
    for (let size = 1; size <= 200; size++) {
      const checkpoint = offer(size, 1, ['a'], size * 100);
      dropped.push(...sequence.begin(size === 7 ? cosigned(checkpoint, 'a') : checkpoint, size * 100));
    }
    expect(sequence.offers.length).toBeLessThanOrEqual(10);
    expect(sequence.witnessed?.size).toBe(7);
    expect(sequence.ofSize(7)).toBe(sequence.witnessed);
    expect(dropped).not.toContain(7);
    expect(new Set([...dropped, ...sequence.offers.map(({ size }) => size)]).size).toBe(200);
    expect(sequence.find(offer(200, 1, []).text)?.size).toBe(200);
    expect(sequence.find(offer(20, 1, []).text)).toBeUndefined();
  });
});
