import { sha256Hex } from '@coferment/crypto';
import type { Membership } from '../enrolment/membership.file.js';
import type { RecordRepository } from './record.repository.js';

/** Writes down what is new in the membership since it was written down last: that the site joined, whose certificates it believes, its own certificate. */
export function noteMembership(record: RecordRepository, member: Membership): void {
  const { consortium, site, identityKey, operatorKey, caCertificate, certificateExpiresAt } = member;
  record.note({ kind: 'joined', consortium, site, identityKey, operatorKey });
  record.note({ kind: 'authorities-changed', digest: sha256Hex(Buffer.from(caCertificate, 'utf8')) });
  record.note({ kind: 'certificate-renewed', until: certificateExpiresAt });
}
