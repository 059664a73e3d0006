import { sha256Hex } from '@coferment/crypto';

const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;

/** SHA-256 over the DER of the first certificate of a PEM text, hex; undefined when there is none. Other tools print the same number for it. */
export function certificateFingerprint(pem: string): string | undefined {
  const [, body] = PEM.exec(pem) ?? [];
  return body === undefined ? undefined : sha256Hex(Buffer.from(body, 'base64'));
}

/** In groups of four, upper case: for reading aloud. */
export function formatCertificateFingerprint(fingerprint: string): string {
  return fingerprint.toUpperCase().replaceAll(/.{4}(?=.)/g, '$& ');
}
