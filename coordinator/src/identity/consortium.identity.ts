import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerReadersSchema, siteNamesSchema } from '@coferment/consortium';
import { type Identity, bytesToHex, generateIdentity, hexToBytes, identityFromSeed } from '@coferment/crypto';
import { encodeVkey, verifierKey } from '@coferment/ledger';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { type KeyAndCertificate, createAuthority, issueOperator, issueServer } from './certificate.authority.js';
import { readSealed, replaceFile, writeSealed } from './sealed.file.js';

const pairSchema = z.strictObject({ privateKey: z.string(), certificate: z.string() });
const secretsSchema = z.strictObject({ authority: pairSchema, server: pairSchema, operatorSeed: z.string(), logSeed: z.string() });
const operatorSchema = z.strictObject({ client: pairSchema });
const factsSchema = z.strictObject({
  consortium: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 lower-case letters, digits or hyphens'),
  origin: z.string().regex(/^[^\s+]{1,200}$/, 'must be a URL without scheme, spaces or "+", e.g. ledger.example/fermentation'),
  serverName: z.string(),
  logVkey: z.string(),
  operatorKey: z.string(),
  authority: z.string(),
  operatorCertificate: z.string(),
  /** The charter; it stands in the ledger and is never changed. */
  ledgerReaders: ledgerReadersSchema.default('members-and-auditors'),
  siteNames: siteNamesSchema.default('plain'),
});

/** Who may read the ledger, and under which names sites stand in it. */
export interface Charter {
  ledgerReaders: z.infer<typeof ledgerReadersSchema>;
  siteNames: z.infer<typeof siteNamesSchema>;
}

/** What everybody may know about the consortium; `consortium.json` in the data folder. */
export type ConsortiumFacts = z.infer<typeof factsSchema>;

/** The keys that speak for the consortium, in memory only while a coordinator runs. */
export class ConsortiumIdentity {
  constructor(
    readonly facts: ConsortiumFacts,
    readonly authority: KeyAndCertificate,
    readonly server: KeyAndCertificate,
    /** Signs the coordinator's acts. */
    readonly operator: Identity,
    /** Seed of the Ed25519 key that signs checkpoints. */
    readonly logSeed: Uint8Array,
  ) {}
}

const factsFile = (folder: string): string => join(folder, 'consortium.json');
const secretsFile = (folder: string): string => join(folder, 'secrets.sealed');
const operatorFile = (folder: string): string => join(folder, 'operator', 'client.sealed');

export function isFounded(folder: string): boolean {
  return existsSync(factsFile(folder));
}

export function readFacts(folder: string): ConsortiumFacts {
  if (!isFounded(folder)) {
    throw new CoordinatorError(
      'folder-unusable',
      `There is no consortium in ${folder}. Start one: coferment start --data ${folder} --consortium NAME --origin ORIGIN …`,
    );
  }
  return factsSchema.parse(JSON.parse(readFileSync(factsFile(folder), 'utf8')));
}

/** Draws all keys of a new consortium. The facts are written last: a crash before leaves a folder that can be founded again. */
export async function found(
  folder: string,
  passphrase: string,
  consortium: string,
  origin: string,
  charter: Partial<Charter> = {},
): Promise<void> {
  const authority = await createAuthority(consortium);
  const serverName = `coordinator.${consortium}.coferment`;
  const [server, client] = await Promise.all([issueServer(authority, serverName), issueOperator(authority)]);
  const operator = generateIdentity();
  const log = generateIdentity();
  const facts = factsSchema.safeParse({
    consortium,
    origin,
    serverName,
    logVkey: encodeVkey(verifierKey('log', origin, log.publicKey)),
    operatorKey: bytesToHex(operator.publicKey),
    authority: authority.certificate,
    operatorCertificate: client.certificate,
    ...charter,
  });
  if (!facts.success) {
    const issue = facts.error.issues[0];
    throw new CoordinatorError('malformed', `The consortium's ${issue?.path.join('.')} ${issue?.message}.`);
  }
  mkdirSync(join(folder, 'operator'), { recursive: true, mode: 0o700 });
  const secrets = { authority, server, operatorSeed: bytesToHex(operator.privateKey), logSeed: bytesToHex(log.privateKey) };
  writeSealed(secretsFile(folder), passphrase, secrets);
  writeSealed(operatorFile(folder), passphrase, { client });
  replaceFile(factsFile(folder), `${JSON.stringify(facts.data, null, 2)}\n`);
}

export function unlock(folder: string, passphrase: string): ConsortiumIdentity {
  const facts = readFacts(folder);
  const secrets = readSealed(secretsFile(folder), passphrase, secretsSchema);
  const operator = identityFromSeed(hexToBytes(secrets.operatorSeed));
  return new ConsortiumIdentity(facts, secrets.authority, secrets.server, operator, hexToBytes(secrets.logSeed));
}

/** The client certificate with which the operator's commands call the coordinator. */
export function unlockOperatorClient(folder: string, passphrase: string): KeyAndCertificate {
  return readSealed(operatorFile(folder), passphrase, operatorSchema).client;
}
