import type { MembershipState } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import { EntitySchema } from 'typeorm';
import { big, flag, integer, json, key, optional, text } from '../persistence/column.types.js';

/** An auditor reads the ledger and takes part in nothing. */
export type MemberRole = 'site' | 'auditor';

/** A site of the consortium: its name and the key that speaks for it now. Whoever joins under the name later is somebody else. */
export interface SiteMember {
  site: string;
  /** Ed25519, hex. */
  identityKey: string;
}

export interface SiteRow {
  site: string;
  role: MemberRole;
  state: MembershipState;
  /** Ed25519, hex; null before the site has joined. */
  identityKey: string | null;
  /** SHA-256 of the client certificate that is good now, DER. */
  certificateDigest: string | null;
  certificateExpiresMs: number | null;
  /** The operator's signed site-enrolled or auditor-enrolled. Null while admitted without having asked for its certificate yet. */
  enrolment: DsseEnvelope | null;
  /** By the database's clock. */
  lastPollMs: number;
  /** The replica that it polled at then; empty before its first poll. */
  polledAt: string;
  /** How long its polls may be held, as it last asked. */
  waitMs: number;
  /** Sequence number of the newest authorities act that it has taken in. */
  authorities: number;
  /** The company's own name where `site` is a pseudonym; else empty. It never leaves this table but to the operator. */
  company: string;
}

export const SiteEntity = new EntitySchema<SiteRow>({
  name: 'site',
  columns: {
    site: { ...text, ...key },
    role: text,
    state: text,
    identityKey: { ...text, ...optional, name: 'identity_key' },
    certificateDigest: { ...text, ...optional, name: 'certificate_digest' },
    certificateExpiresMs: { ...big, ...optional, name: 'certificate_expires_ms' },
    enrolment: { ...json, ...optional },
    lastPollMs: { ...big, name: 'last_poll_ms' },
    polledAt: { ...text, name: 'polled_at' },
    waitMs: { ...integer, name: 'wait_ms' },
    authorities: integer,
    company: text,
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
  /** Whoever brings it is in at once; otherwise the operator admits the identity key first. */
  preAdmitted: boolean;
}

export const InviteEntity = new EntitySchema<InviteRow>({
  name: 'invite',
  columns: {
    id: { ...text, ...key },
    site: text,
    secretHash: { ...text, name: 'secret_hash' },
    expiresMs: { ...big, name: 'expires_ms' },
    usedBy: { ...text, ...optional, name: 'used_by' },
    preAdmitted: { ...flag, name: 'pre_admitted' },
  },
});
