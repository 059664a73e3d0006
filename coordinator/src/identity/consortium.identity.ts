import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Predicate, envelopeSchema, peekStatement } from '@coferment/consortium';
import {
  type DsseEnvelope,
  type Identity,
  type StoreSecret,
  bytesToHex,
  generateIdentity,
  hexToBytes,
  identityFromSeed,
  sha256Hex,
} from '@coferment/crypto';
import { encodeVkey, verifierKey } from '@coferment/ledger';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import {
  CERTIFICATE_LIFE_MS,
  type IssuingAuthority,
  type KeyAndCertificate,
  MOST_BACKDATED_MS,
  MOST_ROLLOVERS_MISSED,
  createAuthority,
  issueOperator,
  issueServer,
} from './certificate.authority.js';
import { makePrivate } from './private.file.js';
import { type ConsortiumFacts, type Founding, checkedFacts, readFacts, writeFacts } from './consortium.facts.js';
import { discardStoreKey, readSealed, writeSealed } from './sealed.file.js';

const pairSchema = z.strictObject({ privateKey: z.string(), certificate: z.string() });
const secretsSchema = z.strictObject({
  /** The newest: it alone issues. */
  authority: pairSchema,
  server: pairSchema,
  operatorSeed: z.string(),
  logSeed: z.string(),
  /** Since the first rollover: the act that holds now, and the newest authorities as certified by the one before each, newest first. */
  rollover: z
    .strictObject({ act: envelopeSchema.transform((act): DsseEnvelope => act), cross: z.array(z.string()).max(MOST_ROLLOVERS_MISSED) })
    .optional(),
});
const operatorSchema = z.strictObject({ client: pairSchema });
type Secrets = z.infer<typeof secretsSchema>;

/** Whose certificates are believed. */
export interface Authorities {
  /** 0 before the first rollover. */
  sequence: number;
  /** PEM, newest first. */
  certificates: string[];
  /** The operator's signed act that says so. */
  act?: DsseEnvelope;
}

/** Counted from when the newest says it began, which is backdated. */
const OPERATOR_OVERLAP_MS = MOST_BACKDATED_MS + 600_000;

/**
 * The keys that speak for the consortium, in memory only while a coordinator runs. Certificates are renewed and authorities roll over while it runs, so
 * everything is read from here when it is needed. A change is on the disk before it is seen here.
 */
export class ConsortiumIdentity {
  /** Signs the coordinator's acts. */
  readonly operator: Identity;
  /** Seed of the Ed25519 key that signs checkpoints. */
  readonly logSeed: Uint8Array;
  readonly #listeners = new Set<() => void>();
  #believed = new Map<string, boolean>();
  #changing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly folder: string,
    private readonly passphrase: StoreSecret,
    private currentFacts: ConsortiumFacts,
    private secrets: Secrets,
  ) {
    this.operator = identityFromSeed(hexToBytes(secrets.operatorSeed));
    this.logSeed = hexToBytes(secrets.logSeed);
  }

  get facts(): ConsortiumFacts {
    return this.currentFacts;
  }

  get authority(): IssuingAuthority {
    return { ...this.secrets.authority, lifeMs: this.facts.certificateLifeMs };
  }

  /** The coordinator's own, followed by what leads from it to authorities of before: a site that was away while they changed still believes it. */
  get server(): KeyAndCertificate {
    const { privateKey, certificate } = this.secrets.server;
    return { privateKey, certificate: [certificate, ...this.crossCertificates].map((pem) => `${pem.trim()}\n`).join('') };
  }

  get crossCertificates(): readonly string[] {
    return this.secrets.rollover?.cross ?? [];
  }

  get authorities(): Authorities {
    const { authority, rollover } = this.secrets;
    if (rollover === undefined) return { sequence: 0, certificates: [authority.certificate] };
    const { sequence, certificates } = peekStatement(rollover.act).predicate as Predicate<'authorities'>;
    return { sequence, certificates, act: rollover.act };
  }

  /** Whether an authority that is believed now issued it. TLS asks only when a connection is made; a connection can be older than a change. @param der X.509 */
  believes(der: Uint8Array): boolean {
    const digest = sha256Hex(der);
    const known = this.#believed.get(digest);
    if (known !== undefined) return known;
    const certificate = new X509Certificate(der);
    const believed = this.authorities.certificates.some((pem) => certificate.verify(new X509Certificate(pem).publicKey));
    this.#believed.set(digest, believed);
    return believed;
  }

  /** @param digest SHA-256 of a certificate, DER */
  isOperator(digest: string, nowMs: number): boolean {
    const { operatorCertificate, previousOperatorCertificate } = this.facts;
    const newest = new X509Certificate(operatorCertificate);
    if (sha256Hex(newest.raw) === digest) return true;
    if (previousOperatorCertificate === undefined || nowMs > Date.parse(newest.validFrom) + OPERATOR_OVERLAP_MS) return false;
    return sha256Hex(new X509Certificate(previousOperatorCertificate).raw) === digest;
  }

  /** Called after every change of what is presented or believed. */
  watch(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Changes of certificates are made one after the other: each begins with what the one before has left on the disk. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(work);
    this.#changing = result.catch(() => {});
    return result;
  }

  keepSecrets(change: Partial<Pick<Secrets, 'authority' | 'server' | 'rollover'>>): void {
    const secrets = { ...this.secrets, ...change };
    writeSealed(this.folder, 'secrets', this.passphrase, secrets);
    this.secrets = secrets;
    this.#believed = new Map();
    for (const tell of this.#listeners) tell();
  }

  keepFacts(change: Partial<ConsortiumFacts>): void {
    const facts = { ...this.currentFacts, ...change };
    writeFacts(this.folder, facts);
    this.currentFacts = facts;
  }

  operatorClient(): KeyAndCertificate {
    return unlockOperatorClient(this.folder, this.passphrase);
  }

  keepOperatorClient(client: KeyAndCertificate): void {
    writeSealed(this.folder, 'operator-client', this.passphrase, { client });
  }
}

/** What a coordinator leaves in a folder that it has started in, and a founding that was cut off does not. */
const TRACES = ['coordinator.json', 'database', 'objects', 'checkpoint'];

/**
 * A start that founds, in a unit for example, is run again and again. In a folder whose consortium.json was lost it would draw new keys over those of a consortium
 * that lives.
 */
function requireUnused(folder: string): void {
  const trace = TRACES.find((name) => existsSync(join(folder, name)));
  if (trace === undefined) return;
  throw new CoordinatorError(
    'folder-unusable',
    `${folder} has no consortium.json, but ${trace} of a consortium that was founded there. Nothing was changed: restore consortium.json, with the files beside it, from one backup, or give a new folder.`,
  );
}

const USUAL_QUORUM = 2;

/** Draws all keys of a new consortium. The facts are written last: a crash before leaves a folder that can be founded again. */
export async function found(
  folder: string,
  passphrase: StoreSecret,
  { consortium, origin, certificateLifeMs = CERTIFICATE_LIFE_MS, ...charter }: Founding,
): Promise<void> {
  requireUnused(folder);
  const authority = await createAuthority(consortium);
  const serverName = `coordinator.${consortium}.coferment`;
  const issuing = { ...authority, lifeMs: certificateLifeMs };
  const [server, client] = await Promise.all([issueServer(issuing, serverName), issueOperator(issuing)]);
  const operator = generateIdentity();
  const log = generateIdentity();
  const facts = checkedFacts({
    consortium,
    origin,
    serverName,
    logVkey: encodeVkey(verifierKey('log', origin, log.publicKey)),
    operatorKey: bytesToHex(operator.publicKey),
    authority: authority.certificate,
    operatorCertificate: client.certificate,
    certificateLifeMs,
    witnessQuorum: USUAL_QUORUM,
    witnesses: [],
    ...charter,
  });
  // Whatever rights the folder had: until now no keys were in it, but what a founding that was cut off has left.
  makePrivate(folder);
  discardStoreKey(folder);
  const secrets = { authority, server, operatorSeed: bytesToHex(operator.privateKey), logSeed: bytesToHex(log.privateKey) };
  writeSealed(folder, 'secrets', passphrase, secrets);
  writeSealed(folder, 'operator-client', passphrase, { client });
  writeFacts(folder, facts);
}

export function unlock(folder: string, passphrase: StoreSecret): ConsortiumIdentity {
  const facts = readFacts(folder);
  const secrets = readSealed(folder, 'secrets', passphrase, secretsSchema);
  const operator = identityFromSeed(hexToBytes(secrets.operatorSeed));
  const log = identityFromSeed(hexToBytes(secrets.logSeed));
  // The files of another consortium open as well when they have the same passphrase; nothing may be signed with them.
  const found = {
    operatorKey: bytesToHex(operator.publicKey),
    logVkey: encodeVkey(verifierKey('log', facts.origin, log.publicKey)),
  };
  const other = (Object.keys(found) as (keyof typeof found)[]).find((fact) => found[fact] !== facts[fact]);
  if (other !== undefined) {
    throw new CoordinatorError(
      'folder-unusable',
      `The keys in ${folder} are not those of consortium.json beside them: ${other} differs. One of them is of another consortium. Restore both from one backup.`,
    );
  }
  return new ConsortiumIdentity(folder, passphrase, facts, secrets);
}

/** The client certificate with which the operator's commands call the coordinator. */
export function unlockOperatorClient(folder: string, passphrase: StoreSecret): KeyAndCertificate {
  return readSealed(folder, 'operator-client', passphrase, operatorSchema).client;
}
