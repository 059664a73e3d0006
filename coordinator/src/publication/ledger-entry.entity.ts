import { EntitySchema } from 'typeorm';
import { big, bytes, key } from '../persistence/column.types.js';

export interface LedgerEntryRow {
  index: number;
  /** Canonical Rekor v2 dsse body: what the leaf hash covers. */
  entry: Buffer;
  /** The signed statement that the entry names by hash. */
  payload: Buffer;
}

export const LedgerEntryEntity = new EntitySchema<LedgerEntryRow>({
  name: 'ledger_entry',
  columns: { index: { ...big, ...key, name: 'index' }, entry: bytes, payload: bytes },
});
