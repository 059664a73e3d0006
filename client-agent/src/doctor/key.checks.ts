import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import { describeFailure } from '../agent.error.js';
import { failed, type Finding, passed, skipped, warned } from '../connection/finding.js';
import { readDeparture } from '../enrolment/departure.file.js';
import type { Membership } from '../enrolment/membership.file.js';
import { KeyStore } from '../keys/key.store.js';
import { identityKeyHex, openIdentity, readTlsCredential } from '../keys/site.identity.js';
import { readSecret } from '../keys/store.secret.js';

/** Whether the keys open and are those of this member, and what the certificate that they go with is worth today. */
export async function checkKeys(folder: string, member: Membership, secret: SecretFlags, nowMs: number): Promise<Finding[]> {
  const told = certificateFinding(member, nowMs);
  if (!isGiven(secret)) return [skipped('key store', 'not opened', 'Give --passphrase-file or --key-file to have it opened.'), told];
  try {
    await loadCrypto();
    const store = KeyStore.open(join(folder, 'keys'), await readSecret(secret));
    const key = identityKeyHex(openIdentity(store));
    if (key !== member.identityKey) {
      const found = `its identity key is ${key.slice(0, 16)}…, member.json says ${member.identityKey.slice(0, 16)}…`;
      return [failed('key store', found, 'Folders of two sites were mixed. Restore this folder from one backup.'), told];
    }
    const opened = passed('key store', `it opens; identity key ${key.slice(0, 16)}…`);
    const departure = readDeparture(folder);
    if (departure?.state === 'done') {
      const found = `"${member.site}" left ${member.consortium} at ${departure.decidedAt}, and its certificate was erased`;
      return [opened, skipped('certificate', found, 'To come back, join with a new invite and another --data folder.')];
    }
    const { key: privateKey, certificate } = readTlsCredential(store);
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) return [opened, told];
    return [
      opened,
      failed('certificate', 'the certificate in the key store is for another key', 'Start the agent: it renews a refused certificate.'),
    ];
  } catch (error) {
    const { code, message } = describeFailure(error);
    const advice = code === 'missing-passphrase' ? 'Give the file that was used when this site joined.' : 'See docs on backup and restore.';
    return [failed('key store', message, advice), told];
  }
}

/** Nobody is asked at the terminal for what they may not have at hand. */
function isGiven({ passphraseFile, keyFile }: SecretFlags): boolean {
  return passphraseFile !== undefined || keyFile !== undefined || process.env['CREDENTIALS_DIRECTORY'] !== undefined;
}

/** An expired certificate is no failure: a serving agent renews it by its identity key, after any time. */
export function certificateFinding(member: Membership, nowMs: number): Finding {
  const until = member.certificateExpiresAt;
  const days = Math.floor((Date.parse(until) - nowMs) / 86_400_000);
  if (days < 0)
    return warned('certificate', `expired ${until}`, 'Start the agent: it renews the certificate by its identity key before it polls.');
  return passed('certificate', `valid until ${until} (${days} days); the serving agent renews it in the last third of its life`);
}
