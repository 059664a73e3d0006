import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { BundleError } from './bundle.error.ts';

/** What `ssh-keygen -Y` calls the purpose of a signature; "file" is its convention for files. */
const NAMESPACE = 'file';
const SSH_KEY_TYPE = 'ssh-ed25519';
const ED25519_BYTES = 32;

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** False for a key that was made for this build only and is forgotten after it. */
  readonly official: boolean;
}

/** @throws BundleError 'signing-key' */
export function readSigningKey(pem: string, path: string): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw new BundleError(
      'signing-key',
      `${path} is no unencrypted private key in PEM form (${(cause as Error).message}).${HOW_TO_MAKE_ONE}`,
    );
  }
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new BundleError(
      'signing-key',
      `${path} holds a key of type ${privateKey.asymmetricKeyType}; releases are signed with Ed25519.${HOW_TO_MAKE_ONE}`,
    );
  return { privateKey, publicKey: createPublicKey(privateKey), official: true };
}

const HOW_TO_MAKE_ONE = ' Make one with: openssl genpkey -algorithm ed25519 -out release-key.pem';

export function throwAwayKey(): SigningKey {
  return { ...generateKeyPairSync('ed25519'), official: false };
}

/** 64 bytes as RFC 8032 has them; `openssl pkeyutl -verify -rawin` of OpenSSL 3 checks it. */
export function signRaw(message: Buffer, { privateKey }: SigningKey): Buffer {
  return sign(null, message, privateKey);
}

/** The same key's signature as `ssh-keygen -Y verify` reads it (OpenSSH, PROTOCOL.sshsig), for machines without OpenSSL 3. */
export function signForSsh(message: Buffer, key: SigningKey): string {
  const described = [sshString(NAMESPACE), sshString(''), sshString('sha512')];
  const signed = Buffer.concat([Buffer.from('SSHSIG'), ...described, sshString(createHash('sha512').update(message).digest())]);
  const signature = Buffer.concat([sshString(SSH_KEY_TYPE), sshString(signRaw(signed, key))]);
  const version = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([Buffer.from('SSHSIG'), version, sshString(sshPublicKey(key)), ...described, sshString(signature)]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

export function publicKeyPem({ publicKey }: SigningKey): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

/** A line for `ssh-keygen -Y verify -f`. */
export function allowedSigner(key: SigningKey, principal: string): string {
  return `${principal} namespaces="${NAMESPACE}" ${SSH_KEY_TYPE} ${sshPublicKey(key).toString('base64')}\n`;
}

/** SHA-256 of the key in DER form, to compare by telephone. */
export function keyFingerprint({ publicKey }: SigningKey): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function sshPublicKey({ publicKey }: SigningKey): Buffer {
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-ED25519_BYTES);
  return Buffer.concat([sshString(SSH_KEY_TYPE), sshString(raw)]);
}

function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
