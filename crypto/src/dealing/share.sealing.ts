import { CryptoError } from '../crypto.error.js';
import type { HashPart } from '../hashing/purpose.hash.js';
import { openFrom, sealFor } from '../sealing/hybrid.sealing.js';
import type { SealingKey } from '../sealing/sealing.key.js';

/** Which private share this is: a share moved to another epoch, dealer or holder does not open. */
export interface DealingShareLabel {
  e0: string;
  dealer: string;
  holder: string;
}

const parts = ({ e0, dealer, holder }: DealingShareLabel): HashPart[] => ['dealing-share', e0, dealer, holder];

/** Seals a private share of a dealing from the dealer's to the holder's per-epoch key (S2). */
export function sealedDealingShare(
  label: DealingShareLabel,
  privateShare: Uint8Array,
  holderPublic: Uint8Array,
  dealer: SealingKey,
): Uint8Array {
  return sealFor(holderPublic, dealer, parts(label), privateShare);
}

/** Opens a private share; 'sealed-open-failed' for another label, other keys or altered bytes, 'malformed' for what is no box or key. */
export function openDealingShare(label: DealingShareLabel, sealed: Uint8Array, dealerPublic: Uint8Array, holder: SealingKey): Uint8Array {
  try {
    return openFrom(dealerPublic, holder, parts(label), sealed);
  } catch (error) {
    if (!(error instanceof CryptoError) || error.code !== 'sealed-open-failed') throw error;
    throw new CryptoError(
      'sealed-open-failed',
      `The sealed share does not open as one from ${label.dealer} for ${label.holder} in this epoch: it was made with other keys or for another place, or it was altered.`,
    );
  }
}
