import type { VerifierKey } from '@coferment/ledger';
import type { SiteContext } from '../rounds/site.context.js';

/** What witnessing works with. */
export interface WitnessContext extends Pick<SiteContext, 'consortium' | 'site' | 'identity' | 'journal' | 'port' | 'tell' | 'storage'> {
  /** The log's key, which this site got with its invite; its name is the origin. */
  log: VerifierKey;
}
