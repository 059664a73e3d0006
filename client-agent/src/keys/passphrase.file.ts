import { readFileSync } from 'node:fs';
import { AgentError } from '../agent.error.js';

const SHORTEST = 8;

/** The passphrase in a file: its first line, without the line end. It opens this folder's keys and nothing else. */
export function readPassphrase(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgentError(
      'missing-passphrase',
      `The passphrase file ${path} cannot be read (${(error as Error).message}). Check its path and rights.`,
    );
  }
  const passphrase = text.split(/\r?\n/, 1)[0] ?? '';
  if (passphrase.length < SHORTEST) {
    throw new AgentError(
      'missing-passphrase',
      `The first line of ${path} has ${passphrase.length} characters; a passphrase needs at least ${SHORTEST}.`,
    );
  }
  return passphrase;
}
