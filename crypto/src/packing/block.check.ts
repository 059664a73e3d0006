import { CryptoError } from '../crypto.error.js';
import { splitPlanes } from './bit.planes.js';
import type { PlanarRange } from './planar.range.js';

/** What the blocks of one place in an upload or a share are like. */
export interface BlockForm {
  /** Coefficients in use. */
  used: number;
  /** Bits that truncation keeps of each. */
  bits: number;
  range: PlanarRange;
}

/**
 * The planes of a block, as views, once it is known that truncation can give it: it is looked through, and nothing is copied or put together.
 * @param what begins the message of an error
 * @throws CryptoError 'malformed' for another length than the coefficients in use take, a padding bit that is set, or a coefficient beyond the range
 */
export function checkedPlanes(block: Uint8Array, { used, bits, range }: BlockForm, what: string): Uint8Array[] {
  const planes = splitPlanes(block, used, bits, what);
  const beyond = range.firstBeyond(planes);
  if (beyond >= 0) throw new CryptoError('malformed', `${what}: coefficient ${beyond} is larger than any truncated residue.`);
  return planes;
}
