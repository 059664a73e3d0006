import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Summary, summarySchema } from '@coferment/demo';
import { type CommandResult, DEMO, processesOn, runCommand } from '../e2e/command.runner.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

export interface PlayedDemo extends CommandResult {
  readonly out: string;
  /** From summary.json, checked against its schema. */
  readonly summary: Summary;
}

/** Plays the demo to its end and checks what holds for every demo: exit code, summary, ledger, nothing left running. */
export async function playDemo(...args: string[]): Promise<PlayedDemo> {
  const out = join(temporaryFolder('coferment-demo'), 'out');
  const result = await runCommand(DEMO, ['--out', out, ...args]);
  if (result.code !== 0) throw new Error(`the demo ended with exit code ${result.code}:\n${result.stdout}\n${result.stderr}`);
  const left = processesOn(out);
  if (left.length > 0) throw new Error(`the demo left processes running:\n${left.join('\n')}`);
  return { ...result, out, summary: summarySchema.parse(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))) };
}
