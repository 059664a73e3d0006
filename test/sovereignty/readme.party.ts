import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { REPOSITORY } from '../e2e/command.runner.js';

const LONGEST_MS = 240_000;

/** The commands of the README's block that follows these words, without their remarks. */
export function readmeCommands(after: string): string[] {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const from = readme.indexOf(`**${after}**`);
  const block = /```\n(.*?)```/s.exec(readme.slice(from))?.[1];
  if (from < 0 || block === undefined) throw new Error(`the README has no block of commands after "${after}"`);
  return block
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +# .*$/, ''));
}

/** One person with the README open, in a folder of their own: types its lines, puts in what stands in angle brackets, reads what is printed. */
export class ReadmeParty {
  readonly #left: string[];
  readonly #background: { child: ChildProcess; printed: () => string }[] = [];

  constructor(
    readonly folder: string,
    commands: readonly string[],
    /** What differs between the README and this machine, such as an address. */
    private readonly here: Readonly<Record<string, string>>,
  ) {
    this.#left = [...commands];
  }

  /** Lines that nobody has typed yet. */
  get untyped(): readonly string[] {
    return this.#left;
  }

  /** Types the line that begins so, and returns what it prints. @throws Error when it fails */
  async type(start: string, blanks: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.#run(this.#take(start, blanks));
  }

  /** Types the line again and again, as a person does who waits for something to show. */
  async typeUntil(start: string, until: RegExp, blanks: Readonly<Record<string, string>> = {}): Promise<string> {
    const line = this.#take(start, blanks);
    for (const endMs = Date.now() + LONGEST_MS; ; await pause(300)) {
      const said = await this.#run(line);
      if (until.test(said)) return said;
      if (Date.now() > endMs) throw new Error(`"${start}" has not printed ${until}:\n${said}`);
    }
  }

  /** Types the line and leaves it running. @returns what it has printed as soon as that matches */
  async begin(
    start: string,
    until: RegExp,
    blanks: Readonly<Record<string, string>> = {},
  ): Promise<{ said: string; ended: Promise<string> }> {
    const running = this.#start(this.#take(start, blanks));
    this.#background.push(running);
    const { child, printed } = running;
    const ended = new Promise<string>((resolve) => child.once('close', () => resolve(printed())));
    for (const endMs = Date.now() + LONGEST_MS; Date.now() < endMs; await pause(50)) {
      if (until.test(printed())) return { said: printed(), ended };
      if (child.exitCode !== null && child.exitCode !== 0) break;
    }
    throw new Error(`"${start}" has not printed ${until}:\n${printed()}`);
  }

  async stop(): Promise<void> {
    for (const { child } of this.#background) {
      if (child.exitCode !== null || child.pid === undefined) continue;
      const ended = new Promise((resolve) => child.once('close', resolve));
      process.kill(-child.pid, 'SIGTERM');
      await ended;
    }
  }

  async #run(line: string): Promise<string> {
    const { child, printed } = this.#start(line);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`"${line}" ended with exit code ${code}:\n${printed()}`);
    return printed();
  }

  #take(start: string, blanks: Readonly<Record<string, string>>): string {
    const index = this.#left.findIndex((line) => line.startsWith(start));
    const [line] = index < 0 ? [] : this.#left.splice(index, 1);
    if (line === undefined) throw new Error(`the README has no line left that begins with "${start}"`);
    const changes = { ...this.here, ...Object.fromEntries(Object.entries(blanks).map(([name, value]) => [`<${name}>`, value])) };
    return Object.entries(changes).reduce((text, [from, to]) => text.replaceAll(from, to), line);
  }

  #start(line: string): { child: ChildProcess; printed: () => string } {
    const path = [join(REPOSITORY, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
    // A group of its own, so that what the shell has started ends with it.
    const child = spawn('bash', ['-c', line], { cwd: this.folder, env: { ...process.env, PATH: path }, detached: true });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.stdin.end();
    return { child, printed: () => printed };
  }
}
