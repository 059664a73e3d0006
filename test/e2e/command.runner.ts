import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const COORDINATOR = join(REPOSITORY, 'coordinator/bin/coferment.js');
export const AGENT = join(REPOSITORY, 'client-agent/bin/coferment-agent.js');
export const AUDITOR = join(REPOSITORY, 'ledger/bin/coferment-audit.js');
export const DEMO = join(REPOSITORY, 'demo/bin/coferment-demo.js');

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandSetting {
  /** The Node that starts the command; default: the one that runs the tests. */
  readonly node?: string;
  readonly nodeArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a command as a process of its own, in the repository. It must end by itself. */
export function runCommand(script: string, args: readonly string[], setting: CommandSetting = {}): Promise<CommandResult> {
  const { node = process.execPath, nodeArguments = ['--no-warnings'], environment = {} } = setting;
  const child = spawn(node, [...nodeArguments, script, ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that gives up must not leave its command running.
  const stop = (): void => void child.kill('SIGTERM');
  process.once('exit', stop);
  const read = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (read.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (read.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', stop);
      resolve({ code, ...read });
    });
  });
}

/** Processes whose command line names this folder: what a demo or a consortium in it would have left behind. Linux only, as the tests are. */
export function processesOn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const line = readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
          .replaceAll('\0', ' ')
          .trim();
        return line.includes(folder) ? [`${pid} ${line}`] : [];
      } catch {
        // It ended while the folder was read.
        return [];
      }
    });
}

/** Every file of a folder with its content, to show that nothing changed. */
export function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(folder, file)).isFile());
  return Object.fromEntries(
    files.sort().map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex'),
    ]),
  );
}
