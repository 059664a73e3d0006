import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { AgentError } from '../agent.error.js';

/** Asks at the terminal without showing what is typed. Undefined when nobody sits at one. */
export function passphrasePrompt(): ((question: string) => Promise<string>) | undefined {
  // The question goes to standard error: standard output may be a file, or read by a program.
  return process.stdin.isTTY && process.stderr.isTTY ? ask : undefined;
}

function ask(question: string): Promise<string> {
  // As a terminal, readline turns the system's own echo off; what it would write instead goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stderr.write(question);
  return new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => reject(new AgentError('missing-passphrase', 'No passphrase was given. Nothing was changed.')));
  }).finally(() => {
    lines.close();
    process.stderr.write('\n');
  });
}
