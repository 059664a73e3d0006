import { EntitySchema } from 'typeorm';
import { big, bytes, flag, integer, key, text } from '../persistence/column.types.js';

/** A copy of an entry that says who may cosign. */
export interface RollRow {
  /** Of the entry in the ledger. */
  index: number;
  payload: Buffer;
}

export const RollEntity = new EntitySchema<RollRow>({
  name: 'witness_roll',
  columns: { index: { ...big, ...key }, payload: bytes },
});

export interface OfferRow {
  /** Entries under the checkpoint. */
  size: number;
  /** Signed by the log, without cosignatures. */
  note: string;
  beganMs: number;
  /** It was published, and then a smaller one had its quorum: by the rest of the rows it would not be. */
  isShown: boolean;
}

export const OfferEntity = new EntitySchema<OfferRow>({
  name: 'checkpoint_offer',
  columns: { size: { ...big, ...key }, note: text, beganMs: { ...big, name: 'began_ms' }, isShown: { ...flag, name: 'is_shown' } },
});

export interface CosignatureRow {
  size: number;
  vkey: string;
  /** As in a note, with its newline. */
  line: string;
  /** In the order in which they came. */
  sequence: number;
}

export const CosignatureEntity = new EntitySchema<CosignatureRow>({
  name: 'cosignature',
  columns: { size: { ...big, ...key }, vkey: { ...text, ...key }, line: text, sequence: { ...integer, generated: 'increment' } },
});
