import { readFileSync } from 'node:fs';
import { INVITE_PREFIX, type Invite, parseInvite } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';

const STANDARD_INPUT = 0;

/**
 * The invite in a file, as the file or as the line of text that the operator sent, or on standard input.
 * @param source a path, or `-`
 * @throws AgentError 'missing-file', 'invite-exposed', ConsortiumError 'invalid-invite'
 */
export function readInvite(source: string): Invite {
  // Whatever stands on a command line is shown to every user of the machine, and kept in the shell's history.
  if (source.trimStart().startsWith(INVITE_PREFIX)) {
    throw new AgentError(
      'invite-exposed',
      'The invite itself stands on the command line, where other users of this machine can read it; it was not used. Put the line into a file and give its path, or give - and paste it. If others work on this machine, ask the operator for a new invite.',
    );
  }
  let text: string;
  try {
    text = readFileSync(source === '-' ? STANDARD_INPUT : source, 'utf8');
  } catch (error) {
    const what = source === '-' ? 'Standard input' : `The invite file ${source}`;
    throw new AgentError('missing-file', `${what} cannot be read (${(error as Error).message}). Check its path.`);
  }
  return parseInvite(text);
}
