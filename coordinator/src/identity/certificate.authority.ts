import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { sha256Hex } from '@coferment/crypto';
import * as x509 from '@peculiar/x509';
import { CoordinatorError } from '../errors/index.js';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Short-lived, because a lost laptop should not matter for long; an agent renews with its identity key, also after expiry. */
const SITE_CERTIFICATE_DAYS = 90;
const LONG_DAYS = 3650;
/** A clock that is behind by less than this still finds a new certificate valid. */
const BACKDATED_MS = 10 * 60_000;
const MAX_REQUEST_BYTES = 4096;

/** A private key (PKCS #8, PEM) and its certificate (PEM). */
export interface KeyAndCertificate {
  privateKey: string;
  certificate: string;
}

export interface IssuedCertificate {
  /** DER. */
  certificate: Uint8Array;
  digest: string;
  expiresMs: number;
}

/** A new certificate authority of the consortium's own: no public one is involved. */
export async function createAuthority(consortium: string): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`coferment ${consortium}`] }],
    ...validity(LONG_DAYS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { privateKey: await exportKey(keys.privateKey), certificate: certificate.toString('pem') };
}

/** The coordinator's TLS certificate. Agents check the name, whatever address they dial. */
export async function issueServer(authority: KeyAndCertificate, serverName: string): Promise<KeyAndCertificate> {
  const names: x509.JsonGeneralNames = [
    { type: 'dns', value: serverName },
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
  ];
  return issueWithNewKey(authority, serverName, x509.ExtendedKeyUsage.serverAuth, new x509.SubjectAlternativeNameExtension(names));
}

/** The operator's client certificate. */
export async function issueOperator(authority: KeyAndCertificate): Promise<KeyAndCertificate> {
  return issueWithNewKey(authority, 'operator', x509.ExtendedKeyUsage.clientAuth);
}

/** A site's client certificate for the P-256 key of its request; everything else in the request is ignored. */
export async function issueSite(authority: KeyAndCertificate, site: string, request: Uint8Array): Promise<IssuedCertificate> {
  const publicKey = await requestedKey(request);
  const certificate = await issue(authority, site, publicKey, SITE_CERTIFICATE_DAYS, x509.ExtendedKeyUsage.clientAuth);
  const der = new Uint8Array(certificate.rawData);
  return { certificate: der, digest: sha256Hex(der), expiresMs: certificate.notAfter.getTime() };
}

async function requestedKey(der: Uint8Array): Promise<x509.PublicKey> {
  if (der.length > MAX_REQUEST_BYTES)
    throw new CoordinatorError('too-large', `A certificate request has ${der.length} bytes; at most ${MAX_REQUEST_BYTES} are read.`);
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
  } catch (cause) {
    throw new CoordinatorError('malformed', 'The certificate request is not PKCS #10 in DER.', { cause });
  }
  const { algorithm } = request.publicKey;
  if (algorithm.name !== 'ECDSA' || !('namedCurve' in algorithm) || algorithm.namedCurve !== 'P-256') {
    throw new CoordinatorError('malformed', `The certificate request is for a ${algorithm.name} key; only P-256 is issued.`);
  }
  if (!(await request.verify())) throw new CoordinatorError('bad-signature', 'The certificate request is not signed by its own key.');
  return request.publicKey;
}

async function issueWithNewKey(
  authority: KeyAndCertificate,
  name: string,
  usage: x509.ExtendedKeyUsage,
  ...extensions: x509.Extension[]
): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await issue(authority, name, keys.publicKey, LONG_DAYS, usage, ...extensions);
  return { privateKey: await exportKey(keys.privateKey), certificate: certificate.toString('pem') };
}

async function issue(
  authority: KeyAndCertificate,
  name: string,
  publicKey: x509.PublicKeyType,
  days: number,
  usage: x509.ExtendedKeyUsage,
  ...extensions: x509.Extension[]
): Promise<x509.X509Certificate> {
  const issuer = new x509.X509Certificate(authority.certificate);
  return x509.X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: issuer.subject,
    ...validity(days),
    publicKey,
    signingKey: await importKey(authority.privateKey),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage], true),
      ...extensions,
    ],
  });
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY_MS) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);
}
