import type { DsseEnvelope } from '@coferment/crypto';
import { EntitySchema } from 'typeorm';
import { big, integer, json, key, optional, text } from '../persistence/column.types.js';

export type SiteState = 'invited' | 'enrolled' | 'revoked';

export interface SiteRow {
  site: string;
  state: SiteState;
  /** Ed25519, hex; null before the site has joined. */
  identityKey: string | null;
  /** SHA-256 of the client certificate that is good now, DER. */
  certificateDigest: string | null;
  certificateExpiresMs: number | null;
  /** The operator's signed site-enrolled. */
  enrolment: DsseEnvelope | null;
  lastPollMs: number;
  /** How long its polls may be held, as it last asked. */
  waitMs: number;
}

export const SiteEntity = new EntitySchema<SiteRow>({
  name: 'site',
  columns: {
    site: { ...text, ...key },
    state: text,
    identityKey: { ...text, ...optional, name: 'identity_key' },
    certificateDigest: { ...text, ...optional, name: 'certificate_digest' },
    certificateExpiresMs: { ...big, ...optional, name: 'certificate_expires_ms' },
    enrolment: { ...json, ...optional },
    lastPollMs: { ...big, name: 'last_poll_ms' },
    waitMs: { ...integer, name: 'wait_ms' },
  },
});

export interface InviteRow {
  id: string;
  site: string;
  /** Only a hash: a stolen database gives nobody a way in. */
  secretHash: string;
  expiresMs: number;
  /** The identity key that used it. */
  usedBy: string | null;
}

export const InviteEntity = new EntitySchema<InviteRow>({
  name: 'invite',
  columns: {
    id: { ...text, ...key },
    site: text,
    secretHash: { ...text, name: 'secret_hash' },
    expiresMs: { ...big, name: 'expires_ms' },
    usedBy: { ...text, ...optional, name: 'used_by' },
  },
});
