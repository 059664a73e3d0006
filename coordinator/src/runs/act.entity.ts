import type { PredicateName } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import { EntitySchema } from 'typeorm';
import { big, integer, json, key, text } from '../persistence/column.types.js';

/** Stands where a site id would for acts of the operator; no site can be called this. */
export const OPERATOR = '@operator';

/** A signed act of a run. (run, name, site, slot) is unique, so nothing is ever counted twice. */
export interface ActRow {
  /** Order of acceptance. */
  sequence: number;
  /** SHA-256 of the signed payload. */
  digest: string;
  run: string;
  name: PredicateName;
  /** Who signed: a site, or {@link OPERATOR}. */
  site: string;
  /** What may be signed only once by one signer, e.g. `7/2` for the nonce of sum 7, attempt 2. */
  slot: string;
  envelope: DsseEnvelope;
  receivedMs: number;
}

export const ActEntity = new EntitySchema<ActRow>({
  name: 'act',
  columns: {
    sequence: { ...integer, ...key, generated: 'increment' },
    digest: text,
    run: text,
    name: text,
    site: text,
    slot: text,
    envelope: json,
    receivedMs: { ...big, name: 'received_ms' },
  },
});
