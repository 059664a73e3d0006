import { randomBytes } from 'node:crypto';
import { bytesToHex, generateIdentity, identityFromSeed, type Identity } from '@coferment/crypto';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import type { KeyStore } from './key.store.js';

const IDENTITY = 'identity';
const TRAINING_SEED = 'training-seed';
const TLS = 'tls';

/** The keys a site has for as long as it is a member. */
export interface SiteIdentity {
  identity: Identity;
  /** 32 bytes: seeds training and stochastic rounding, and nothing that keeps a secret. */
  trainingSeed: Uint8Array;
}

/** @param trainingSeed 32 bytes; only demonstrations and reproductions give one. */
export function createSiteIdentity(store: KeyStore, trainingSeed?: Uint8Array): SiteIdentity {
  const created = { identity: generateIdentity(), trainingSeed: trainingSeed ?? new Uint8Array(randomBytes(32)) };
  store.write(TRAINING_SEED, created.trainingSeed);
  store.write(IDENTITY, created.identity.privateKey);
  return created;
}

export function openSiteIdentity(store: KeyStore): SiteIdentity {
  return { identity: openIdentity(store), trainingSeed: store.require(TRAINING_SEED) };
}

/** All that a site which has left still has. */
export function openIdentity(store: KeyStore): Identity {
  return identityFromSeed(store.require(IDENTITY));
}

/**
 * Keys of another site, or of another membership of this one, open just as well when they have the same passphrase; signing with them must not begin.
 * @throws AgentError 'store-damaged'
 */
export function requireIdentity(identity: Identity, expected: string, folder: string): void {
  const found = identityKeyHex(identity);
  if (found === expected) return;
  throw new AgentError(
    'store-damaged',
    `The keys in ${folder} have the identity key ${found}; member.json beside them says ${expected}. One of them is of another site or another time. Restore both from one backup.`,
  );
}

export function hasSiteIdentity(store: KeyStore): boolean {
  return store.read(IDENTITY) !== undefined;
}

export function identityKeyHex(identity: Identity): string {
  return bytesToHex(identity.publicKey);
}

const tlsSchema = z.strictObject({ key: z.string(), certificate: z.string() });

/** A P-256 key (PKCS #8, PEM) and its client certificate (PEM): one record, so a renewal that is cut off leaves the old pair whole. */
export type TlsCredential = z.infer<typeof tlsSchema>;

export function writeTlsCredential(store: KeyStore, credential: TlsCredential): void {
  store.write(TLS, Buffer.from(JSON.stringify(credential)));
}

export function readTlsCredential(store: KeyStore): TlsCredential {
  return tlsSchema.parse(JSON.parse(Buffer.from(store.require(TLS)).toString('utf8')));
}

/** For a site that has left: what trains and what calls the coordinator goes, the identity key stays, so that it can still prove who it was. */
export function eraseWorkingKeys(store: KeyStore): void {
  store.eraseRecord(TRAINING_SEED);
  store.eraseRecord(TLS);
}
