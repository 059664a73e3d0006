import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ProgramEvent } from '../../demo/src/processes/index.js';
import { LineSplitter } from '../../demo/src/processes/line.splitter.js';
import { AGENT, type CommandResult, REPOSITORY } from '../e2e/command.runner.js';
import type { Launcher } from './network.namespace.js';

export interface AgentSetting {
  site: string;
  folder: string;
  passphraseFile: string;
  mappingFile: string;
  recordsFolder: string;
  /** What the operator writes into its invite. */
  address: string;
  launcher: Launcher;
  environment: Readonly<Record<string, string>>;
  wireVersion: string;
}

const preload = (name: string): string => pathToFileURL(join(REPOSITORY, 'test/e2e', name)).href;

/** The agent of one site, in a network and an environment of its own, in the release that speaks `wireVersion`. */
export class NetworkedAgent {
  readonly events: ProgramEvent[] = [];
  /** Everything that its processes have printed. */
  printed = '';
  onEvent: (event: ProgramEvent) => void = () => undefined;
  readonly #running = new Set<ChildProcess>();
  #server: ChildProcess | undefined;
  /** How the serving process ended by itself. */
  lost = '';

  constructor(readonly setting: AgentSetting) {}

  /** Runs a command to its end. */
  async command(args: readonly string[], environment: Record<string, string> = {}): Promise<CommandResult> {
    const child = this.#start([...args, '--json'], environment);
    const read = { stdout: '', stderr: '' };
    child.stdout!.on('data', (chunk: Buffer) => (read.stdout += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (read.stderr += chunk.toString()));
    const code = await ended(child);
    return { code, ...read };
  }

  async must(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.command([...args, '--data', this.setting.folder]);
    if (code !== 0) throw new Error(`${this.setting.site}: ${args.join(' ')} failed: ${stderr}`);
    return stdout;
  }

  join(inviteFile: string, environment: Record<string, string> = {}): Promise<CommandResult> {
    const { folder, passphraseFile } = this.setting;
    return this.command(['join', inviteFile, '--data', folder, '--passphrase-file', passphraseFile], environment);
  }

  /** Returns when it serves; it need not be connected. */
  async serve(): Promise<void> {
    const { folder, passphraseFile, mappingFile, recordsFolder, site } = this.setting;
    const data = ['--data', folder, '--mapping', mappingFile, '--records', recordsFolder, '--passphrase-file', passphraseFile];
    const child = this.#start(['serve', ...data, '--poll-wait-ms', '1000', '--json']);
    this.#server = child;
    const serving = Promise.withResolvers<void>();
    const lines = new LineSplitter((line) => {
      if (!line.startsWith('{')) return;
      const event = JSON.parse(line) as ProgramEvent;
      this.events.push(event);
      if (event['event'] === 'serving') serving.resolve();
      this.onEvent(event);
    });
    child.stdout!.on('data', (chunk: Buffer) => lines.write(chunk));
    void ended(child).then((code) => {
      this.lost = `the agent of ${site} ended with exit code ${code}: ${this.printed.slice(-500)}`;
      serving.reject(new Error(this.lost));
    });
    await serving.promise;
  }

  /** Sockets of the serving agent on which somebody could call it. */
  listening(): string[] {
    const pid = this.#server?.pid;
    const LISTEN = '0A';
    return ['tcp', 'tcp6'].flatMap((family) =>
      readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
        .split('\n')
        .slice(1)
        .filter((line) => line.trim().split(/\s+/)[3] === LISTEN),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running].map((child) => {
        child.kill('SIGKILL');
        return ended(child);
      }),
    );
  }

  #start(args: readonly string[], more: Record<string, string> = {}): ChildProcess {
    const { launcher, environment, wireVersion } = this.setting;
    const node = [process.execPath, '--no-warnings', '--import', preload('other-version.preload.js'), AGENT, ...args];
    const [program = '', ...rest] = [...launcher, ...node];
    const child = spawn(program, rest, {
      cwd: REPOSITORY,
      env: { ...process.env, ...environment, COFERMENT_TEST_WIRE_VERSION: wireVersion, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    const stop = (): void => void child.kill('SIGKILL');
    process.once('exit', stop);
    void ended(child).then(() => {
      this.#running.delete(child);
      process.off('exit', stop);
    });
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    return child;
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}
