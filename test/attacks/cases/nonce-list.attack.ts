/*
 * Case 7. A coordinator that chooses K tries to have a site encrypt under a K it has seen before, or one in which the site's own nonce has no part: two
 * ciphertexts with the same a_b, or with an a_b of its choosing, give the site's key or update away.
 */
import type { NonceEntry } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SumName } from '../../../client-agent/src/connection/instruction.parser.js';
import { encrypt, prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import { attack, AttackedConsortium, closeAll, failureOf } from './attacked.consortium.fixture.js';

let consortium: AttackedConsortium;
let name: SumName;
let stale: NonceEntry[];

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining();
  name = consortium.update();
  for (const site of consortium.sites) await prepareSum(consortium.member(site), { name });
  stale = consortium.noncesOf(name);
  consortium.checkpoint();
});
afterAll(closeAll);

type Forgery = (nonces: NonceEntry[]) => NonceEntry[];
const [b, c] = [1, 2];
const swap = (list: NonceEntry[], one: number, two: number) => list.with(one, list[two]!).with(two, list[one]!);

const forgeries: [string, string, Forgery][] = [
  ['without its nonce', 'own-nonce-absent', (list) => list.filter(({ site }) => site !== 'b')],
  ['with another nonce under its id', 'own-nonce-changed', (list) => list.with(b, { site: 'b', nonce: 'f'.repeat(64) })],
  ['with its nonce from an earlier attempt', 'own-nonce-changed', (list) => list.with(b, stale[b]!)],
  ['with its nonce under another id too', 'nonce-doubled', (list) => list.with(c, { site: 'c', nonce: list[b]!.nonce })],
  [
    'with its nonce under another id only',
    'own-nonce-absent',
    (list) => list.filter(({ site }) => site !== 'b').with(1, { site: 'c', nonce: list[b]!.nonce }),
  ],
  [
    'with its nonce and that of another exchanged',
    'own-nonce-changed',
    (list) => list.with(b, { ...list[c]!, site: 'b' }).with(c, { ...list[b]!, site: 'c' }),
  ],
  ['that names it twice', 'list-unordered', (list) => list.toSpliced(b, 0, list[b]!)],
  ['that names it twice with two nonces', 'list-unordered', (list) => list.toSpliced(b, 0, { site: 'b', nonce: '1'.repeat(64) })],
  ['in another order', 'list-unordered', (list) => swap(list, 2, 3)],
  ['from last to first', 'list-unordered', (list) => list.toReversed()],
  ['with a stranger', 'not-in-epoch', (list) => [...list, { site: 'zz', nonce: '2'.repeat(64) }]],
  ['of too few sites', 'list-too-short', (list) => list.slice(0, 2)],
];

describe('a nonce list', () => {
  beforeEach(async () => {
    consortium.rewind();
    name = consortium.update(consortium.firstUpdate, 1, 2);
    for (const site of consortium.sites) await prepareSum(consortium.member(site), { name });
  });

  it.each(forgeries)(
    '%s is refused (%s): nothing is encrypted, the pair is not spent, and the nonce is gone',
    async (_what, code, forge) => {
      const victim = consortium.member('b');
      const nonces = consortium.noncesOf(name);
      expect(nonces.map(({ site }) => site)).toEqual(consortium.sites);
      const spent = victim.journal.rounds.lastEncrypted(name.run);
      const seen = await attack(consortium.board, victim, () => encrypt(victim, { name, nonces: forge(nonces) }));
      // It says that it takes no part in this attempt, and remembers having said so.
      expect(seen).toEqual({ code, changed: ['record', 'round_steps', 'statements'], sent: ['attempt-declined'] });
      expect(victim.journal.rounds.lastEncrypted(name.run)).toEqual(spent);
      expect(victim.nonces.peek(name.run, name.sum, name.attempt)).toBeUndefined();
      // The right list comes too late.
      await encrypt(victim, { name, nonces });
      expect(consortium.uploads(name)).toEqual([]);
    },
  );

  it('of an attempt that the site did not open, or of one it has left behind, is declined', async () => {
    const victim = consortium.member('b');
    const nonces = consortium.noncesOf(name);
    for (const attempt of [1, 3]) {
      const seen = await attack(consortium.board, victim, () =>
        encrypt(victim, { name: { ...name, attempt }, nonces: attempt === 1 ? stale : nonces }),
      );
      expect(seen).toMatchObject({ code: 'no refusal', sent: ['attempt-declined'] });
    }
    expect(victim.journal.rounds.lastEncrypted(name.run)?.sum).toBeLessThan(name.sum);
    expect(consortium.uploads(name)).toEqual([]);
  });

  it('under another kind or round of the same number is refused before the nonce is looked at', async () => {
    const victim = consortium.member('b');
    const nonces = consortium.noncesOf(name);
    const asked = [
      [{ ...name, kind: 'statistics' as const, round: 0 }, 'wrong-kind'],
      [{ ...name, kind: 'confirm' as const, round: 0 }, 'wrong-kind'],
      [{ ...name, round: 3 }, 'wrong-round'],
      [{ ...name, round: 0 }, 'wrong-round'],
      [{ ...name, kind: 'evaluate' as const, round: 1 }, 'wrong-round'],
      [{ ...name, kind: 'statistics' as const }, 'wrong-round'],
      [{ ...name, sum: 1000 }, 'sum-beyond-maximum'],
      [{ ...name, attempt: 1001 }, 'attempt-beyond-maximum'],
    ] as const;
    for (const [asking, code] of asked) {
      expect(await attack(consortium.board, victim, () => encrypt(victim, { name: asking, nonces }))).toEqual({
        code,
        changed: [],
        sent: [],
      });
      expect(await failureOf(prepareSum(victim, { name: asking }))).toMatchObject({ code });
    }
    expect(victim.nonces.peek(name.run, name.sum, name.attempt)).toBeDefined();
  });
});
