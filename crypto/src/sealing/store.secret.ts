import { CryptoError } from '../crypto.error.js';
import { fileModeFault, type FileRights } from './file.mode.js';
import type { StoreSecret } from './store.header.js';

/** The options of a command that say what opens a store. */
export interface SecretFlags {
  passphraseFile?: string;
  keyFile?: string;
}

/** The machine as this rule sees it; both command lines give it theirs. */
export interface SecretEdges {
  environment: Readonly<Record<string, string | undefined>>;
  /** Undefined where there is no such file. */
  rights: (path: string) => FileRights | undefined;
  /** @throws when the file cannot be read */
  read: (path: string) => Uint8Array;
  /** Asks a person without echo; undefined when nobody sits at a terminal. */
  ask?: (question: string) => Promise<string>;
}

export interface SecretPurpose {
  /** What is opened or locked, for the question at the terminal. */
  question: string;
  /** Of a passphrase, in characters. */
  shortest: number;
  /** Asks twice: a new passphrase that was mistyped would lock its owner out. */
  isNew?: boolean;
  /** How the options are called; those of a new secret have names of their own. */
  optionNames?: { passphraseFile: string; keyFile: string };
  /** A new secret never comes from where the present one does. */
  withoutCredentials?: boolean;
}

export interface ReadSecret {
  secret: StoreSecret;
  /** All lines of a passphrase file that has more than the first, which is the one that counts. */
  allLines?: string;
}

type Source = { kind: 'passphrase' | 'key'; path: string; exempt: boolean } | { kind: 'terminal'; ask: NonNullable<SecretEdges['ask']> };

export const SHORTEST_PASSPHRASE = 8;
const PASSPHRASE_CREDENTIAL = 'coferment-passphrase';
const KEY_CREDENTIAL = 'coferment-key';
const OPTION_NAMES = { passphraseFile: '--passphrase-file', keyFile: '--key-file' };
const SHORTEST_KEY_BYTES = 32;
const LONGEST_BYTES = 4096;
/** 32 random bytes have nearly always 26 or more different ones, and 64 random hexadecimal digits nearly always 13 or more. */
const FEWEST_DIFFERENT_BYTES = 8;

/**
 * What opens a store, from exactly one place: an option, else the systemd credential of the unit, else the terminal. Agent and coordinator read it by
 * this one rule. It takes the machine as an argument, so that it is here, in the package that both build on, and touches no disk itself.
 * @throws CryptoError 'no-secret' when there is none, two, or one that is too weak; 'file-mode' when others can read it
 */
export async function readStoreSecret(flags: SecretFlags, edges: SecretEdges, purpose: SecretPurpose): Promise<ReadSecret> {
  const source = chooseSource(flags, edges, purpose);
  switch (source.kind) {
    case 'terminal':
      return { secret: await askFor(source.ask, purpose) };
    case 'passphrase':
      return readPassphrase(source, edges, purpose);
    case 'key':
      return { secret: readKey(source, edges) };
  }
}

function chooseSource(flags: SecretFlags, edges: SecretEdges, purpose: SecretPurpose): Source {
  const names = purpose.optionNames ?? OPTION_NAMES;
  const { passphraseFile, keyFile } = flags;
  if (passphraseFile !== undefined && keyFile !== undefined)
    throw refusal(`Both ${names.passphraseFile} ${passphraseFile} and ${names.keyFile} ${keyFile} were given. Give one of them.`);
  // systemd hands a unit its credentials with an access list, whose mask looks like rights of the group.
  const folder = edges.environment['CREDENTIALS_DIRECTORY'];
  const within = (path: string) => folder !== undefined && folder !== '' && path.startsWith(`${folder}/`);
  if (passphraseFile !== undefined) return { kind: 'passphrase', path: passphraseFile, exempt: within(passphraseFile) };
  if (keyFile !== undefined) return { kind: 'key', path: keyFile, exempt: within(keyFile) };
  if (folder !== undefined && folder !== '' && purpose.withoutCredentials !== true) {
    const [passphrase, key] = [PASSPHRASE_CREDENTIAL, KEY_CREDENTIAL].map((name) => `${folder}/${name}`) as [string, string];
    const found = [passphrase, key].filter((path) => edges.rights(path) !== undefined);
    if (found.length > 1) throw refusal(`The unit has both credentials, ${passphrase} and ${key}. Load one of them.`);
    if (found[0] !== undefined) return { kind: found[0] === key ? 'key' : 'passphrase', path: found[0], exempt: true };
  }
  if (edges.ask !== undefined) return { kind: 'terminal', ask: edges.ask };
  const credential =
    purpose.withoutCredentials === true ? '' : `, load the systemd credential ${PASSPHRASE_CREDENTIAL} or ${KEY_CREDENTIAL}`;
  throw refusal(
    `${purpose.question} is needed. Give ${names.passphraseFile} FILE or ${names.keyFile} FILE${credential}, or run this at a terminal.`,
  );
}

async function askFor(ask: NonNullable<SecretEdges['ask']>, { question, shortest, isNew }: SecretPurpose): Promise<string> {
  const typed = await ask(`${question}: `);
  requireLength(typed, shortest, 'What was typed');
  if (isNew === true && (await ask(`${question}, again: `)) !== typed) throw refusal('The two passphrases differ. Nothing was changed.');
  return typed;
}

function readPassphrase(source: { path: string; exempt: boolean }, edges: SecretEdges, { shortest }: SecretPurpose): ReadSecret {
  const text = Buffer.from(readSecretFile('passphrase file', source, edges)).toString('utf8');
  const [secret = '', ...more] = text.split(/\r?\n/);
  requireLength(secret, shortest, `The first line of ${source.path}`);
  const allLines = text.replace(/\r?\n$/, '');
  return more.length === 0 || allLines === secret ? { secret } : { secret, allLines };
}

function readKey(source: { path: string; exempt: boolean }, edges: SecretEdges): Uint8Array {
  const bytes = readSecretFile('key file', source, edges);
  const advice = `Make one with: head -c ${SHORTEST_KEY_BYTES} /dev/urandom > FILE`;
  if (bytes.length < SHORTEST_KEY_BYTES)
    throw refusal(`The key file ${source.path} has ${bytes.length} bytes; it needs at least ${SHORTEST_KEY_BYTES} random ones. ${advice}`);
  if (new Set(bytes).size < FEWEST_DIFFERENT_BYTES)
    throw refusal(`The key file ${source.path} is not random: it has ${new Set(bytes).size} different bytes only. ${advice}`);
  return bytes;
}

function readSecretFile(what: string, { path, exempt }: { path: string; exempt: boolean }, edges: SecretEdges): Uint8Array {
  const rights = edges.rights(path);
  const fault = rights === undefined || exempt ? undefined : fileModeFault(path, rights, { mayBeRootsWithGroup: true });
  if (fault !== undefined) throw new CryptoError('file-mode', fault);
  let bytes: Uint8Array;
  try {
    bytes = edges.read(path);
  } catch (error) {
    throw refusal(`The ${what} ${path} cannot be read (${(error as Error).message}). Check its path and rights.`);
  }
  if (bytes.length > LONGEST_BYTES)
    throw refusal(`The ${what} ${path} has ${bytes.length} bytes; at most ${LONGEST_BYTES} are read. Is it the right file?`);
  return bytes;
}

function requireLength(passphrase: string, shortest: number, what: string): void {
  const { length } = passphrase;
  if (length < shortest) throw refusal(`${what} has ${length} characters; a passphrase needs at least ${shortest}.`);
}

function refusal(message: string): CryptoError {
  return new CryptoError('no-secret', message);
}
