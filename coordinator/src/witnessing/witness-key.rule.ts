import type { Statement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { parseVkey } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';

type WitnessKey = Statement<'witness-key'>;

/**
 * Whether a site's witness key is new and may be written down; false when it is the one that the site has.
 * @param roll the statements so far that say who may cosign, in their order
 * @param others keys that sign other things: the operator's, the log's
 * @throws CoordinatorError 'identity-taken', 'already-different'
 */
export function admitWitnessKey({ predicate, digest }: WitnessKey, roll: readonly Statement[], others: readonly string[]): boolean {
  const { site, key } = predicate;
  let held: string | undefined;
  let isSpent = false;
  const taken = new Set(others);
  for (const earlier of roll) {
    if (earlier.name === 'charter') for (const vkey of earlier.predicate.witnesses) taken.add(bytesToHex(parseVkey(vkey).publicKey));
    if (earlier.name === 'site-enrolled') {
      taken.add(earlier.predicate.identityKey);
      // Whoever joins under the name again brings a key of its own.
      if (earlier.predicate.site === site) held = undefined;
    }
    if (earlier.name !== 'witness-key') continue;
    if (earlier.predicate.site === site) held = earlier.digest;
    if (earlier.predicate.key === key) {
      if (earlier.predicate.site === site) isSpent = true;
      else taken.add(key);
    }
  }
  if (taken.has(key))
    throw new CoordinatorError(
      'identity-taken',
      `The witness key ${key.slice(0, 16)}… of "${site}" signs something else already. A key that cosigns does nothing else: make another.`,
    );
  if (held === digest) return false;
  if (isSpent)
    throw new CoordinatorError(
      'already-different',
      `The witness key ${key.slice(0, 16)}… of "${site}" was replaced, and what was replaced does not come back: make another.`,
    );
  return true;
}
