import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Identity, type StoreSecret, bytesToHex, generateIdentity, hexToBytes, identityFromSeed } from '@coferment/crypto';
import { encodeVkey, verifierKey } from '@coferment/ledger';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { type KeyAndCertificate, createAuthority, issueOperator, issueServer } from './certificate.authority.js';
import { makePrivate } from './private.file.js';
import { discardStoreKey, readSealed, replaceFile, writeSealed } from './sealed.file.js';

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
});

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
  try {
    return factsSchema.parse(JSON.parse(readFileSync(factsFile(folder), 'utf8')));
  } catch (cause) {
    throw new CoordinatorError(
      'folder-unusable',
      `${factsFile(folder)} is damaged. Restore it, with the files beside it, from one backup.`,
      {
        cause,
      },
    );
  }
}

/** Draws all keys of a new consortium. The facts are written last: a crash before leaves a folder that can be founded again. */
export async function found(folder: string, passphrase: StoreSecret, consortium: string, origin: string): Promise<void> {
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
  });
  if (!facts.success) {
    const issue = facts.error.issues[0];
    throw new CoordinatorError('malformed', `The consortium's ${issue?.path.join('.')} ${issue?.message}.`);
  }
  // Whatever rights the folder had: until now no keys were in it, but what a founding that was cut off has left.
  makePrivate(folder);
  discardStoreKey(folder);
  const secrets = { authority, server, operatorSeed: bytesToHex(operator.privateKey), logSeed: bytesToHex(log.privateKey) };
  writeSealed(folder, 'secrets', passphrase, secrets);
  writeSealed(folder, 'operator-client', passphrase, { client });
  replaceFile(factsFile(folder), `${JSON.stringify(facts.data, null, 2)}\n`);
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
  return new ConsortiumIdentity(facts, secrets.authority, secrets.server, operator, hexToBytes(secrets.logSeed));
}

/** The client certificate with which the operator's commands call the coordinator. */
export function unlockOperatorClient(folder: string, passphrase: StoreSecret): KeyAndCertificate {
  return readSealed(folder, 'operator-client', passphrase, operatorSchema).client;
}
