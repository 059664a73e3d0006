import { CryptoError } from '../crypto.error.js';
import { concatBytes } from '../hashing/bytes.codec.js';
import { hash } from '../hashing/purpose.hash.js';
import { openFrom, sealFor } from '../sealing/box.sealing.js';

/** Which private share this is. It travels inside the box: a share moved to another epoch, dealer or holder does not open. */
export interface DealingShareLabel {
  e0: string;
  dealer: string;
  holder: string;
}

const LABEL_BYTES = 32;
const labelHash = ({ e0, dealer, holder }: DealingShareLabel): Uint8Array => hash('dealing-share', e0, dealer, holder);

/** Seals a private share of a dealing from the dealer's to the holder's per-epoch key. */
export function sealedDealingShare(
  label: DealingShareLabel,
  privateShare: Uint8Array,
  holderPublic: Uint8Array,
  dealerPrivate: Uint8Array,
): Uint8Array {
  return sealFor(holderPublic, dealerPrivate, concatBytes([labelHash(label), privateShare]));
}

/** Opens a private share; 'sealed-open-failed' for other keys or altered bytes, 'dealing-refused' for another label. */
export function openDealingShare(
  label: DealingShareLabel,
  sealed: Uint8Array,
  dealerPublic: Uint8Array,
  holderPrivate: Uint8Array,
): Uint8Array {
  const opened = openFrom(dealerPublic, holderPrivate, sealed);
  if (opened.length < LABEL_BYTES || !Buffer.from(labelHash(label)).equals(opened.subarray(0, LABEL_BYTES))) {
    throw new CryptoError('dealing-refused', `The sealed share is not from ${label.dealer} for ${label.holder} in this epoch.`);
  }
  return opened.slice(LABEL_BYTES);
}
