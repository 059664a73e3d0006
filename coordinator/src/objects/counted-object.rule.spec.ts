import { type Predicate, statementBytes } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import type { RoundRow } from '../rounds/round.entity.js';
import { OPERATOR } from '../runs/act.entity.js';
import type { RunView } from '../runs/run.view.js';
import { E, give, runningView } from '../testing/run-view.fixture.js';
import { countedIn } from './counted-object.rule.js';
import type { ObjectRow, StoredPurpose } from './object.entity.js';

const D = (digit: string) => digit.repeat(64);
const object = (digest: string, site: string | null, purpose: StoredPurpose): ObjectRow => ({
  digest,
  size: 1,
  purpose,
  run: 'r1-0123456789abcdef',
  site,
  reader: null,
  storedMs: 0,
  removedMs: null,
});

/** Alpha and beta counted, zeta sent too late; alpha's and beta's shares are in the aggregate, gamma's came after it. */
function view(change: Partial<RoundRow> = {}): RunView {
  const stored = runningView({ state: 'closed', counted: ['alpha', 'beta'], ...change });
  const { run, sum, kind } = stored.rounds[0]!;
  const inSum = { consortium: 'unit', run, e: E, kind, sum };
  for (const [site, digit] of Object.entries({ alpha: 'a', beta: 'b', zeta: 'f' })) {
    const rest = {
      attempt: 1,
      blocks: 1,
      droppedBits: 1,
      ranges: D('0'),
      sampleCommitment: D('0'),
      batchCommitment: D('0'),
      dataReportCommitment: D('0'),
      backend: 'none' as const,
    };
    give(stored, 'contribution', site, `${sum}/1`, { ...inSum, ...rest, k: D('0'), site, object: D(digit), merkleRoot: D('0') });
  }
  const shares: { site: string; share: string }[] = [];
  for (const [site, digit] of Object.entries({ alpha: '1', beta: '2', gamma: '3' })) {
    const share: Predicate<'share'> = { ...inSum, k: D('0'), t: D('0'), site, blocks: 1, object: D(digit), merkleRoot: D('0') };
    give(stored, 'share', site, `${sum}`, share);
    if (site !== 'gamma') shares.push({ site, share: sha256Hex(statementBytes('share', share)) });
  }
  const aggregate = { epoch: 1, round: 0, k: D('0'), t: D('0'), sumObject: D('0'), certificate: [], modelIn: 'none', modelOut: 'none' };
  give(stored, 'aggregate', OPERATOR, `${sum}`, { ...inSum, ...aggregate, shares });
  return stored;
}

describe('an object counted in a closed sum', () => {
  it('when its site is in the set and it is what the site signed for', () => {
    expect(countedIn(view(), object(D('a'), 'alpha', 'ciphertext'))?.sum).toBe(5);
    expect(countedIn(view(), object(D('2'), 'beta', 'decryption-share'))?.sum).toBe(5);
  });

  it.each([
    ['was left out', object(D('f'), 'zeta', 'ciphertext')],
    ['was uploaded but never signed for', object(D('9'), 'alpha', 'ciphertext')],
    ['came as a share after the sum was opened', object(D('3'), 'gamma', 'decryption-share')],
    ["is filed under another site's name", object(D('a'), 'beta', 'ciphertext')],
    ['is a share that poses as a ciphertext', object(D('1'), 'alpha', 'ciphertext')],
    ['is a box', object(D('a'), 'alpha', 'dealing-box')],
    ["is the coordinator's own", object(D('a'), null, 'published')],
  ])('not when it %s', (_, row) => {
    expect(countedIn(view(), row)).toBeUndefined();
  });

  it.each(['uploading', 'attesting', 'decrypting', 'applying', 'garbled'] as const)('not while the sum is %s', (state) => {
    expect(countedIn(view({ state }), object(D('a'), 'alpha', 'ciphertext'))).toBeUndefined();
    expect(countedIn(view({ state }), object(D('1'), 'alpha', 'decryption-share'))).toBeUndefined();
  });

  it('not when it is of an attempt that was given up', () => {
    expect(countedIn(view({ attempt: 2 }), object(D('a'), 'alpha', 'ciphertext'))).toBeUndefined();
  });
});
