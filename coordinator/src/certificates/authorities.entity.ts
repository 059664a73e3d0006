import type { DsseEnvelope } from '@coferment/crypto';
import { EntitySchema } from 'typeorm';
import { integer, json, key } from '../persistence/column.types.js';

/** An authorities act that is in the ledger. */
export interface AuthoritiesRow {
  sequence: number;
  act: DsseEnvelope;
}

export const AuthoritiesEntity = new EntitySchema<AuthoritiesRow>({
  name: 'authorities',
  columns: { sequence: { ...integer, ...key }, act: json },
});
