import { readFileSync } from 'node:fs';
import { CoordinatorError } from '../errors/index.js';

/** A passphrase is the file's text without its last line break. @throws CoordinatorError 'wrong-passphrase' */
export function readPassphrase(file: string | undefined): string {
  if (file === undefined) {
    throw new CoordinatorError(
      'wrong-passphrase',
      "This command opens the consortium's keys. Give the file with their passphrase: --passphrase-file FILE",
    );
  }
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CoordinatorError('wrong-passphrase', `The passphrase file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase === '')
    throw new CoordinatorError('wrong-passphrase', `The passphrase file ${file} is empty. Write a passphrase into it.`);
  return passphrase;
}
