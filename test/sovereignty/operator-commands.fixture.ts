import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { vi } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { addSites } from '../../coordinator/src/cli/site.commands.js';
import type { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { PASSPHRASE } from './member.fixture.js';

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** Runs `coferment …` in this process, as a script would: without a terminal. */
export async function coferment(coordinator: TestCoordinator, ...words: string[]): Promise<Said> {
  const passphraseFile = join(temporaryFolder('operator'), 'passphrase');
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  const program = new Command('coferment').exitOverride();
  addSites(program);
  const said: Said = { code: 0, out: '', err: '' };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said.out += String(text)), true));
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said.err += String(text)), true));
  try {
    await program.parseAsync([...words, '--data', coordinator.folder, '--passphrase-file', passphraseFile], { from: 'user' });
    said.code = Number(process.exitCode ?? 0);
    return said;
  } finally {
    process.exitCode = 0;
    out.mockRestore();
    err.mockRestore();
  }
}
