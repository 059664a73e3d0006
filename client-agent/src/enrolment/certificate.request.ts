import 'reflect-metadata';
import { X509Certificate, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface CertificateRequest {
  /** PKCS #10, DER. */
  request: Uint8Array;
  /** PKCS #8, PEM. Made here and kept here: the coordinator only ever sees the public half. */
  privateKey: string;
}

/** A request for a client certificate, with a P-256 key that is new each time. */
export async function requestCertificate(site: string): Promise<CertificateRequest> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: [{ CN: [site] }], keys, signingAlgorithm: ALGORITHM });
  const privateKey = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { request: new Uint8Array(request.rawData), privateKey };
}

/** @returns PEM and end of validity (ISO 8601) @throws when the bytes are no certificate for the key of the request */
export function readCertificate(der: Uint8Array, request: Uint8Array): { certificate: string; expiresAt: string } {
  const certificate = new x509.X509Certificate(Uint8Array.from(der));
  const requested = new x509.Pkcs10CertificateRequest(Uint8Array.from(request)).publicKey;
  if (!Buffer.from(certificate.publicKey.rawData).equals(Buffer.from(requested.rawData)))
    throw new Error('the certificate is for another key');
  return { certificate: certificate.toString('pem'), expiresAt: certificate.notAfter.toISOString() };
}

/** @param certificate PEM @param authorities PEM, one or several */
export function isIssuedBy(certificate: string, authorities: string): boolean {
  const issued = new X509Certificate(certificate);
  return x509.PemConverter.decode(authorities).some((der) => issued.verify(new X509Certificate(Buffer.from(der)).publicKey));
}
