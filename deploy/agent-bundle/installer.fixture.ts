import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sumsText, writeArchive, writeContents } from './archive.writer.ts';
import { signRaw, type SigningKey } from './release.signature.ts';

export const INSTALLER = join(import.meta.dirname, 'install.sh');

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** As on a machine that has only its system: no Node, no npm, nothing of whoever runs the tests. */
export function install(script: string, args: readonly string[], before: readonly string[] = []): Answer {
  const path = [...before, '/usr/bin', '/bin'].join(':');
  const { status, stdout, stderr } = spawnSync('/bin/sh', [script, ...args], { env: { PATH: path }, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

/** A folder of commands that stand before the system's. */
export function commands(folder: string, texts: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

export interface SmallRelease {
  readonly version: string;
  readonly target?: string;
  /** What its "agent" does when started. */
  readonly program?: string;
  readonly key?: SigningKey;
}

/** A release whose agent is a shell script: everything that install.sh looks at, in a few kilobytes. */
export async function makeRelease(out: string, release: SmallRelease): Promise<string> {
  const { version, target = 'linux-x64', program = `echo ${version}`, key } = release;
  const name = `coferment-agent-${version}-${target}`;
  const stage = join(out, 'stage');
  mkdirSync(join(stage, name, 'bin'), { recursive: true });
  for (const command of ['coferment-agent', 'coferment-audit']) writeFileSync(join(stage, name, 'bin', command), `#!/bin/sh\n${program}\n`);
  copyFileSync(INSTALLER, join(stage, name, 'install.sh'));
  await writeContents(join(stage, name));
  const programs = new Set(['bin/coferment-agent', 'bin/coferment-audit', 'install.sh']);
  await writeArchive(stage, name, join(out, `${name}.tar.gz`), programs);
  copyFileSync(INSTALLER, join(out, 'install.sh'));
  const sums = await sumsText(out, [`${name}.tar.gz`, 'install.sh']);
  writeFileSync(join(out, 'SHA256SUMS'), sums);
  if (key !== undefined) writeFileSync(join(out, 'SHA256SUMS.sig'), signRaw(Buffer.from(sums), key));
  return join(out, 'install.sh');
}

/** Where the system has no such command, the tests that need it say so and are skipped. */
export function has(command: string): boolean {
  return ['/usr/bin', '/bin'].some((folder) => existsSync(join(folder, command)));
}
