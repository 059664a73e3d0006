import { confirmVector, roundContext, setDigest } from '@coferment/consortium';
import { digest, loadCrypto, packVector, sumCiphertexts } from '@coferment/crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../../../client-agent/src/journal/journal.js';
import { NonceMemory } from '../../../client-agent/src/rounds/nonce.memory.js';
import { HonestEpoch, exampleUpdate } from './epoch.fixture.js';
import { agreement, byChance, correlation } from './measure.fixture.js';
import { type Coefficients, modulo, readTotal, readUpload, slotsOf } from './ring.fixture.js';
import { temporaryFolder } from '../../../client-agent/src/testing/temporary.folder.fixture.js';

/*
 * Reuse of the public randomness a_b.
 * Who: the coordinator, alone. What it holds: two uploads of one site.
 * Weakened design: a comes from the round number only (or the agent encrypts again after a restart). Then c − c′ = e − e′ + Δ·(m − m′): the key is gone.
 * What it gets: one site's update, read exactly, when the other message is public (a confirmation vector); the difference of two updates otherwise. And
 * where a resumed upload is encrypted afresh each time it is asked for, the errors average out and the key itself follows.
 * Ours: a comes from K, which holds the epoch, the input, sum, attempt and a fresh nonce of the site itself, kept in memory and wiped at first use; the
 * pair (sum, attempt) is spent on the disk before a coefficient is encrypted.
 */

const VICTIM = 'site-01';
const ROUND = digest('round-of-the-weakened-design', 7);
let epoch: HonestEpoch;
let update: BigUint64Array;
let confirm: BigUint64Array;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 3, keyHolders: 3, threshold: 3 });
  const { parameters } = epoch;
  const known = confirmVector(digest('e'), VICTIM, parameters.valueBits);
  const shape = { packed: 3000, exact: 4 };
  confirm = packVector(shape, parameters, known.packed, known.exact);
  update = packVector(shape, parameters, exampleUpdate(VICTIM, 3000, parameters), [8n, 5n, 100n, 7n]);
});

/** What the coordinator computes from two uploads, one of which it can predict. */
function subtractKnown(unknown: Uint8Array, predicted: Uint8Array, message: BigUint64Array): Coefficients {
  const { ring, parameters } = epoch;
  const [c, known] = [unknown, predicted].map((upload) => readUpload(ring, upload, message.length, parameters)) as [
    Coefficients,
    Coefficients,
  ];
  return Array.from(message, (value, index) => modulo(ring.rounded(c[index]! - known[index]!) + value, ring.t));
}

const digits = (coefficients: ArrayLike<bigint>): number[] =>
  Array.from(coefficients).flatMap((value) => [0n, 1n, 2n].map((digit) => Number(BigInt.asUintN(19, value >> (19n * digit)))));

describe('two encryptions under one a', () => {
  it('show an update exactly', () => {
    const stolen = subtractKnown(epoch.encrypt(VICTIM, ROUND, update), epoch.encrypt(VICTIM, ROUND, confirm), confirm);
    expect(agreement(stolen, Array.from(update))).toBe(1);
  });

  it('show nothing under two contexts of ours, which differ by a nonce at least', () => {
    const i = digest('input');
    const context = (nonce: string): string =>
      roundContext({
        e: digest('e'),
        i,
        sum: 4,
        attempt: 1,
        nonces: [
          { site: VICTIM, nonce },
          { site: 'site-02', nonce: 'ff'.repeat(32) },
        ],
      });
    const [k, k2] = [context('00'.repeat(32)), context('00'.repeat(31) + '01')];
    const stolen = subtractKnown(epoch.encrypt(VICTIM, k, update), epoch.encrypt(VICTIM, k2, confirm), confirm);
    expect(agreement(stolen, Array.from(update))).toBe(0);
    expect(Math.abs(correlation(digits(stolen), digits(update)))).toBeLessThan(byChance(3000));
  });

  it('are refused by the journal and the memory of the agent, also after a restart', () => {
    const path = join(temporaryFolder('reused-randomness'), 'journal.sqlite');
    const run = 'r1-0123456789abcdef';
    const refused = expect.objectContaining({ code: 'pair-not-growing' }) as Error;
    const first = Journal.open(path);
    first.runs.announce(run, digest('plan'), 1, ['site-00', VICTIM, 'site-02']);
    first.runs.openEpoch({ run, epoch: 1, roster: digest('roster'), fingerprint: digest('fingerprint'), e0: digest('e0') });
    first.rounds.reserveEncryption(run, 1, 4, 1, 1);
    expect(() => first.rounds.reserveEncryption(run, 1, 4, 1, 1)).toThrow(refused);
    first.close();
    const restarted = Journal.open(path);
    expect(() => restarted.rounds.reserveEncryption(run, 1, 4, 1, 1)).toThrow(refused);
    expect(() => restarted.rounds.reserveEncryption(run, 1, 3, 9, 1)).toThrow(refused);
    expect(() => restarted.rounds.reserveEncryption(run, 1, 4, 2, 1)).not.toThrow();
    restarted.close();

    const memory = new NonceMemory();
    const nonce = memory.draw(run, 4, 1);
    expect(memory.draw(run, 4, 1)).toBe(nonce);
    memory.wipe(run);
    expect(memory.peek(run, 4, 1)).toBeUndefined();
    expect(memory.draw(run, 4, 1)).not.toBe(nonce);
    expect(new NonceMemory().peek(run, 4, 1)).toBeUndefined();
  });
});

describe('an upload that is encrypted afresh whenever it is asked for', () => {
  it('gives the secret key: 1500 answers average the errors out', () => {
    // Nothing dropped and a public message, as in the confirmation of a design without truncation.
    const answers = 1500;
    const full = new HonestEpoch({
      sites: 3,
      keyHolders: 3,
      threshold: 3,
      change: { sites: answers, droppedBits: 0, keptBits: 180 },
    });
    const { ring, parameters } = full;
    const zeros = new BigUint64Array(ring.degree);
    const again = Array.from({ length: answers }, () => full.encrypt(VICTIM, ROUND, zeros));
    const reference = readUpload(ring, again[0]!, ring.degree, parameters);
    const sums = readTotal(sumCiphertexts(again, ring.degree, parameters));
    const product = reference.map((value, i) => {
      const spread = ring.centred(sums[i]! - BigInt(answers) * value);
      return modulo(-(value + BigInt(Math.round(Number(spread) / answers))), ring.q);
    });
    const stolen = ring.divide(ring.toSlots(product), ring.publicElement(ROUND));
    expect(agreement(stolen, slotsOf(full.secretKey(VICTIM)))).toBe(1);
  });

  it('is not made in ours: the stored bytes are sent, and 1500 copies of them are one', () => {
    const full = epoch;
    const upload = full.encrypt(VICTIM, digest('k', setDigest([VICTIM])), update);
    const { ring, parameters } = full;
    const one = readUpload(ring, upload, update.length, parameters);
    // The best guess at −a·s from one upload is off by the dropped bits: the key does not follow.
    const product = one.map((value, i) => modulo(ring.lifted(update[i] ?? 0n) - value, ring.q));
    const guess = ring.toCoefficients(ring.divide(ring.toSlots(product), ring.publicElement(digest('k', setDigest([VICTIM])))));
    const ternary = guess.filter((value) => value <= 1n || value === ring.q - 1n).length;
    expect(ternary).toBe(0);
  });
});
