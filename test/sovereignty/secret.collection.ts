import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SEALING_PUBLIC_KEY_BYTES, unwrapStoreKey } from '@coferment/crypto';
import { z } from 'zod';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';
import { openSiteIdentity, readTlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { readSealed } from '../../coordinator/src/identity/sealed.file.js';
import { passphraseIn } from './decryption.attempt.js';
import type { Secret } from './secret.search.js';

/** Where the number stands in the text of a P-256 key (PKCS #8): before it comes what all keys have, behind it the public key. */
const SCALAR_IN_PEM = [48, 89] as const;

/** A key as it is written, and the number in it, which is what matters. */
function privateKey(name: string, pem: string): Secret[] {
  const { d } = createPrivateKey(pem).export({ format: 'jwk' });
  const body = pem.slice(pem.indexOf('\n') + 1);
  return [
    { name: `${name} (PEM)`, value: Buffer.from(body.slice(...SCALAR_IN_PEM)) },
    { name: `${name} (scalar)`, value: Buffer.from(d!, 'base64url') },
  ];
}

const bytes = (name: string, value: Uint8Array): Secret => ({ name, value: Buffer.from(value) });

function storeKey(owner: string, folder: string, passphrase: string): Secret[] {
  const header = readFileSync(join(folder, 'store.json'), 'latin1');
  return [
    { name: `passphrase of ${owner}`, value: Buffer.from(passphrase) },
    bytes(`store key of ${owner}`, unwrapStoreKey(header, passphrase)),
  ];
}

/** Everything secret that one site has, while a key epoch goes on. */
export function secretsOfSite(site: string, folder: string, passphraseFile: string): Secret[] {
  const keys = join(folder, 'keys');
  const passphrase = passphraseIn(passphraseFile);
  const store = KeyStore.open(keys, passphrase);
  const { identity, trainingSeed } = openSiteIdentity(store);
  const records = readdirSync(keys, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.startsWith('epochs') && statSync(join(keys, path)).isFile())
    .map((path) => path.replace('.sealed', ''));
  const epochs = records.map((record) => {
    const value = store.require(record);
    return bytes(`${record} of ${site}`, record.endsWith('/sealing') ? value.subarray(SEALING_PUBLIC_KEY_BYTES) : value);
  });
  return [
    ...storeKey(site, keys, passphrase),
    bytes(`identity of ${site}`, identity.privateKey),
    bytes(`training seed of ${site}`, trainingSeed),
    ...privateKey(`TLS key of ${site}`, readTlsCredential(store).key),
    ...epochs,
  ];
}

const pair = z.looseObject({ privateKey: z.string() });
const secretsSchema = z.looseObject({ authority: pair, server: pair, operatorSeed: z.string(), logSeed: z.string() });

/** Everything secret that the coordinator has for as long as it is one. */
export function secretsOfCoordinator(folder: string, passphraseFile: string): Secret[] {
  const passphrase = passphraseIn(passphraseFile);
  const { authority, server, operatorSeed, logSeed } = readSealed(folder, 'secrets', passphrase, secretsSchema);
  const { client } = readSealed(folder, 'operator-client', passphrase, z.looseObject({ client: pair }));
  return [
    ...storeKey('the coordinator', folder, passphrase),
    ...privateKey('key of the authority', authority.privateKey),
    ...privateKey("key of the coordinator's TLS", server.privateKey),
    ...privateKey("key of the operator's TLS", client.privateKey),
    { name: "operator's signing key", value: Buffer.from(operatorSeed, 'hex') },
    { name: "log's signing key", value: Buffer.from(logSeed, 'hex') },
  ];
}

/** Of an invite file. */
export function secretOfInvite(file: string): Secret {
  const { secret, site } = z.looseObject({ secret: z.string(), site: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8')));
  return { name: `invite of ${site}`, value: Buffer.from(secret, 'hex') };
}
