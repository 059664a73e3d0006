import { X509Certificate } from 'node:crypto';
import { openStatement, type Predicate } from '@coferment/consortium';
import { hexToBytes } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { wireEnvelopeSchema } from '../connection/envelope.codec.js';
import type { Membership } from './membership.file.js';

/** A membership, or the invite to one. */
type Known = Pick<Membership, 'consortium' | 'operatorKey' | 'caCertificate' | 'authorities'>;

/**
 * Whose certificates this site believes from here on. Whoever answers on the coordinator's address may have its TLS key, or its authority's; the set of
 * authorities changes only by an act that the operator's key has signed, for this consortium, newer than the one that is known.
 * @param envelope as it came; absent before the first rollover
 * @throws AgentError 'authorities-refused'; nothing is changed then
 */
export function takeInAuthorities(known: Known, envelope: unknown): Pick<Membership, 'caCertificate' | 'authorities'> {
  const { caCertificate, authorities = 0 } = known;
  if (envelope === undefined && authorities === 0) return { caCertificate };
  const { sequence, certificates } = open(known, envelope);
  if (sequence < authorities)
    throw refused(`it has sequence number ${sequence}, and this site knows number ${authorities}: an old one was sent again`);
  const bundle = certificates.map((pem) => `${pem.trim()}\n`).join('');
  if (sequence === authorities && bundle !== caCertificate)
    throw refused(`number ${sequence} names other authorities than the one that this site has: two were signed under one number`);
  return { caCertificate: bundle, authorities: sequence };
}

function open(known: Known, envelope: unknown): Predicate<'authorities'> {
  const wire = wireEnvelopeSchema.safeParse(envelope);
  if (!wire.success) throw refused('it is missing, or has not the expected form');
  let act: Predicate<'authorities'>;
  try {
    act = openStatement('authorities', wire.data, hexToBytes(known.operatorKey)).predicate;
  } catch (error) {
    throw refused((error as Error).message);
  }
  if (act.consortium !== known.consortium) throw refused(`it is of the consortium "${act.consortium}"`);
  for (const pem of act.certificates) requireAuthority(pem);
  return act;
}

function requireAuthority(pem: string): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw refused('one of its certificates cannot be read');
  }
  if (!certificate.ca) throw refused(`the certificate of "${certificate.subject}" in it is no authority's`);
  // TLS takes every certificate in a file: a second one behind the first would be believed without having been looked at.
  if (pem.split('-----BEGIN ').length !== 2) throw refused('one of its entries is not exactly one certificate');
}

function refused(reason: string): AgentError {
  return new AgentError(
    'authorities-refused',
    `What the coordinator says about the consortium's certificate authorities is refused: ${reason}. Nothing was changed here; ask the operator.`,
  );
}
