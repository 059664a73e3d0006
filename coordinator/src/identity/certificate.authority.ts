import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { sha256Hex } from '@coferment/crypto';
import * as x509 from '@peculiar/x509';
import { CoordinatorError } from '../errors/index.js';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Short-lived, because a lost laptop should not matter for long; an agent renews with its identity key, also after expiry. */
export const CERTIFICATE_LIFE_MS = 30 * DAY_MS;
const AUTHORITY_LIFE_MS = 3650 * DAY_MS;
/** A clock that is behind by less than this still finds a new certificate valid. Of a short life it may only take a small part. */
export const MOST_BACKDATED_MS = 10 * 60_000;
const MAX_REQUEST_BYTES = 4096;
/** How many rollovers a site may have missed: the cross certificates between its authority and the newest are a path of this length (RFC 5280, 4.2.1.9). */
export const MOST_ROLLOVERS_MISSED = 3;

/** A private key (PKCS #8, PEM) and its certificate (PEM). */
export interface KeyAndCertificate {
  privateKey: string;
  certificate: string;
}

/** An authority that issues, and for how long. */
export interface IssuingAuthority extends KeyAndCertificate {
  lifeMs: number;
}

export interface IssuedCertificate {
  /** DER. */
  certificate: Uint8Array;
  digest: string;
  expiresMs: number;
}

/**
 * A new certificate authority of the consortium's own: no public one is involved.
 * @param generation counts authorities. Their names differ, so that a path never has to choose between two issuers of one name.
 */
export async function createAuthority(consortium: string, generation = 0): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`coferment ${consortium}${generation === 0 ? '' : ` authority ${generation}`}`] }],
    ...validity(AUTHORITY_LIFE_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [...authorityExtensions(), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return { privateKey: await exportKey(keys.privateKey), certificate: certificate.toString('pem') };
}

/**
 * The newer authority's name and key, certified by the older one (PEM): whoever only knows the older one then believes what the newer one issues.
 * @throws CoordinatorError 'folder-unusable' when the older one may have no authority below it
 */
export async function crossSign(older: KeyAndCertificate, newer: string): Promise<string> {
  const issuer = new x509.X509Certificate(older.certificate);
  const pathLength = issuer.getExtension(x509.BasicConstraintsExtension)?.pathLength ?? MOST_ROLLOVERS_MISSED;
  if (pathLength < 1) {
    throw new CoordinatorError(
      'folder-unusable',
      'The authority of this consortium was made by a release that could not be rolled over: it may certify no other one. Found a new consortium.',
    );
  }
  const subject = new x509.X509Certificate(newer);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: subject.subject,
    issuer: issuer.subject,
    ...validity(AUTHORITY_LIFE_MS),
    publicKey: subject.publicKey,
    signingKey: await importKey(older.privateKey),
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...authorityExtensions(),
      await x509.SubjectKeyIdentifierExtension.create(subject.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return certificate.toString('pem');
}

/** The coordinator's TLS certificate. Agents check the name, whatever address they dial. */
export async function issueServer(authority: IssuingAuthority, serverName: string): Promise<KeyAndCertificate> {
  const names: x509.JsonGeneralNames = [
    { type: 'dns', value: serverName },
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ];
  return issueWithNewKey(authority, serverName, x509.ExtendedKeyUsage.serverAuth, new x509.SubjectAlternativeNameExtension(names));
}

/** The operator's client certificate. */
export async function issueOperator(authority: IssuingAuthority): Promise<KeyAndCertificate> {
  return issueWithNewKey(authority, 'operator', x509.ExtendedKeyUsage.clientAuth);
}

/** A site's client certificate for the P-256 key of its request; everything else in the request is ignored. */
export async function issueSite(authority: IssuingAuthority, site: string, request: Uint8Array): Promise<IssuedCertificate> {
  const publicKey = await requestedKey(request);
  const certificate = await issue(authority, site, publicKey, x509.ExtendedKeyUsage.clientAuth);
  const der = new Uint8Array(certificate.rawData);
  return { certificate: der, digest: sha256Hex(der), expiresMs: certificate.notAfter.getTime() };
}

function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, MOST_ROLLOVERS_MISSED, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
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
  authority: IssuingAuthority,
  name: string,
  usage: x509.ExtendedKeyUsage,
  ...extensions: x509.Extension[]
): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await issue(authority, name, keys.publicKey, usage, ...extensions);
  return { privateKey: await exportKey(keys.privateKey), certificate: certificate.toString('pem') };
}

async function issue(
  authority: IssuingAuthority,
  name: string,
  publicKey: x509.PublicKeyType,
  usage: x509.ExtendedKeyUsage,
  ...extensions: x509.Extension[]
): Promise<x509.X509Certificate> {
  const issuer = new x509.X509Certificate(authority.certificate);
  return x509.X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: issuer.subject,
    ...validity(authority.lifeMs),
    publicKey,
    signingKey: await importKey(authority.privateKey),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage], true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...extensions,
    ],
  });
}

function validity(lifeMs: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - Math.min(MOST_BACKDATED_MS, lifeMs / 10)), notAfter: new Date(now + lifeMs) };
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
