import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { LedgerError } from '../errors/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { type NoteSigner, publicKeyFromSeed, verifierKey } from '../note/index.js';

const COSIGNATURE_TYPE = 0x04;
const OTHERS_MAY_READ = 0o077;

/**
 * The key of a witness in the form that Go's note package gives signing keys: `PRIVATE+KEY+name+hash+base64(type ‖ seed)`.
 * @param name for a key that is yet to be made; for one that is there it must be the same
 * @throws LedgerError 'malformed-key'; Error for a person to read
 */
export function openWitnessKey(file: string, name: string | undefined): NoteSigner {
  const text = readIfThere(file);
  if (text === undefined) {
    if (name === undefined) throw new Error(`there is no key in "${file}" yet; name the witness with --name, e.g. witness.example/w1`);
    return makeKey(file, name);
  }
  if (process.platform !== 'win32' && (statSync(file).mode & OTHERS_MAY_READ) !== 0)
    throw new Error(`others may read the key "${file}"; take that from them (chmod 600), and make a new key if somebody may have`);
  const signer = parseKey(text, file);
  if (name !== undefined && signer.name !== name)
    throw new Error(`the key in "${file}" is of the witness "${signer.name}", not "${name}"; a key keeps its name for life`);
  return signer;
}

function makeKey(file: string, name: string): NoteSigner {
  const seed = new Uint8Array(randomBytes(32));
  const { keyId } = verifierKey('witness', name, publicKeyFromSeed(seed));
  // Never over another key: `wx` fails where there is one.
  const handle = openSync(file, 'wx', 0o600);
  try {
    writeSync(handle, `PRIVATE+KEY+${name}+${keyId}+${encodeBase64(Uint8Array.of(COSIGNATURE_TYPE, ...seed))}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return { name, seed };
}

function parseKey(text: string, file: string): NoteSigner {
  const [, name = '', keyId, base64 = ''] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(\S+)\n?$/u.exec(text) ?? [];
  const material = decodeBase64(base64);
  if (material?.length !== 33 || material[0] !== COSIGNATURE_TYPE)
    throw new LedgerError('malformed-key', `"${file}" does not hold the key of a witness; restore it from your backup`);
  const seed = material.slice(1);
  if (verifierKey('witness', name, publicKeyFromSeed(seed)).keyId !== keyId)
    throw new LedgerError('malformed-key', `the key in "${file}" was altered: its hash is another one; restore it from your backup`);
  return { name, seed };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
