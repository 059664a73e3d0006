import { signStatement } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import type { ConsortiumIdentity } from '../identity/consortium.identity.js';
import type { SiteRow } from './site.entity.js';

type Operator = Pick<ConsortiumIdentity, 'facts' | 'operator'>;

/** The operator's word that this key speaks for this member from here on. */
export function enrolmentAct(
  { site, role, identityKey }: Pick<SiteRow, 'site' | 'role'> & { identityKey: string },
  certificate: string,
  { facts: { consortium }, operator }: Operator,
): DsseEnvelope {
  switch (role) {
    case 'site':
      return signStatement('site-enrolled', { consortium, site, identityKey, certificate }, operator);
    case 'auditor':
      return signStatement('auditor-enrolled', { consortium, auditor: site, identityKey, certificate }, operator);
  }
}

/** The operator's word that it speaks for nobody any more. */
export function revocationAct(
  { site, role }: Pick<SiteRow, 'site' | 'role'>,
  reason: string,
  { facts: { consortium }, operator }: Operator,
): DsseEnvelope {
  switch (role) {
    case 'site':
      return signStatement('site-revoked', { consortium, site, reason }, operator);
    case 'auditor':
      return signStatement('auditor-revoked', { consortium, auditor: site, reason }, operator);
  }
}
