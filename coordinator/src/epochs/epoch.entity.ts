import type { Roster } from '@coferment/consortium';
import { EntitySchema } from 'typeorm';
import { integer, json, key, optional, text } from '../persistence/column.types.js';

/** Why there is another key epoch after the first, and whom the operator took out of it. */
export interface EpochRenewal {
  reason: string;
  leftOut: string[];
  /** Key holders that go on without key shares. */
  replaced: string[];
}

export interface EpochRow {
  run: string;
  epoch: number;
  /** Without sealing keys until every site has offered one. */
  roster: Roster;
  fingerprint: string;
  /** Digest of the published roster; null until it is complete. */
  rosterDigest: string | null;
  e0: string | null;
  /** Set when every site has agreed. */
  e: string | null;
  /** Null for the first. */
  renewal: EpochRenewal | null;
}

export const EpochEntity = new EntitySchema<EpochRow>({
  name: 'epoch',
  columns: {
    run: { ...text, ...key },
    epoch: { ...integer, ...key },
    roster: json,
    fingerprint: text,
    rosterDigest: { ...text, ...optional, name: 'roster_digest' },
    e0: { ...text, ...optional },
    e: { ...text, ...optional },
    renewal: { ...json, ...optional },
  },
});
