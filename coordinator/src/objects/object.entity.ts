import { EntitySchema } from 'typeorm';
import { big, key, optional, text } from '../persistence/column.types.js';

export type StoredPurpose = 'dealing-masked' | 'dealing-box' | 'ciphertext' | 'decryption-share' | 'published';

/** What a stored file is. The bytes are in the object folder, named by the digest. */
export interface ObjectRow {
  digest: string;
  size: number;
  purpose: StoredPurpose;
  run: string | null;
  /** Who sent it; null for what the coordinator published. */
  site: string | null;
  /** The one site that may read it; null where the purpose decides. */
  reader: string | null;
  storedMs: number;
  /** When the plan's retention was over and the bytes were given up; null while they are kept. */
  removedMs: number | null;
}

export const ObjectEntity = new EntitySchema<ObjectRow>({
  name: 'object',
  columns: {
    digest: { ...text, ...key },
    size: big,
    purpose: text,
    run: { ...text, ...optional },
    site: { ...text, ...optional },
    reader: { ...text, ...optional },
    storedMs: { ...big, name: 'stored_ms' },
    removedMs: { ...big, ...optional, name: 'removed_ms' },
  },
});
