import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DemoError } from '../errors/index.js';
import { LineSplitter } from './line.splitter.js';

const PARENT_WATCH = fileURLToPath(new URL('../../bin/parent-watch.js', import.meta.url));
const KEPT_LINES = 20;
/** More than any command answers; a server's older events are in its log. */
const KEPT_OUTPUT = 2000;

export interface ProgramSpecification {
  /** Names the process in messages. */
  readonly name: string;
  readonly script: string;
  /** The words that start its Node, where it is not the Node of this process. */
  readonly node?: readonly string[];
  readonly args: readonly string[];
  /** Receives everything the process prints; several processes may share one. */
  readonly logFile: string;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type ProgramEvent = Readonly<Record<string, unknown>>;

/** One operating-system process of the demo, in a process group of its own so that it can be stopped with everything it started. */
export class ChildProgram {
  readonly ended: Promise<ProgramEnd>;
  private readonly child: ChildProcess;
  private readonly log: WriteStream;
  private readonly listeners = new Set<(event: ProgramEvent) => void>();
  private readonly output: string[] = [];
  private readonly complaints: string[] = [];
  private end: ProgramEnd | undefined;
  private askedToEnd = false;

  constructor(readonly specification: ProgramSpecification) {
    mkdirSync(dirname(specification.logFile), { recursive: true });
    this.log = createWriteStream(specification.logFile, { flags: 'a' });
    this.log.write(`# ${new Date().toISOString()} ${specification.name}: ${specification.args.join(' ')}\n`);
    const [program, ...words] = specification.node ?? [];
    this.child = spawn(
      program ?? process.execPath,
      [...words, '--no-warnings', '--import', PARENT_WATCH, specification.script, ...specification.args],
      {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    const out = new LineSplitter((line) => this.takeOutput(line));
    const err = new LineSplitter((line) => keep(this.complaints, line));
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.log.write(chunk);
      out.write(chunk);
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.log.write(chunk);
      err.write(chunk);
    });
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        keep(this.complaints, error.message);
        this.finish({ code: 127, signal: null }, resolve);
      });
      this.child.once('close', (code, signal) => {
        out.flush();
        err.flush();
        this.finish({ code, signal }, resolve);
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get running(): boolean {
    return this.end === undefined;
  }

  /** Whether its end was wanted: somebody signalled it. */
  get asked(): boolean {
    return this.askedToEnd;
  }

  /** The last lines of standard error, or the last of standard output where there are none. */
  get lastWords(): string {
    const lines = this.complaints.length > 0 ? this.complaints : this.output.slice(-1);
    return lines.filter((line) => line.trim() !== '').join('\n');
  }

  get outputLines(): readonly string[] {
    return this.output;
  }

  /** Calls back for every line of standard output that is a JSON object. Returns the call that ends it. */
  onEvent(listener: (event: ProgramEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * The first event that fits.
   * @throws DemoError 'process-failed' when the process ends before, 'stalled' when nothing fits within the time.
   */
  async event(fits: (event: ProgramEvent) => boolean, what: string, withinMs: number): Promise<ProgramEvent> {
    let stop = (): void => undefined;
    let timer: NodeJS.Timeout | undefined;
    const seen = new Promise<ProgramEvent>((resolve) => {
      stop = this.onEvent((event) => {
        if (fits(event)) resolve(event);
      });
    });
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new DemoError(
            'stalled',
            `${this.specification.name} has not reported "${what}" within ${withinMs / 1000} s. Its log: ${this.specification.logFile}`,
          ),
        );
      }, withinMs);
    });
    try {
      return await Promise.race([seen, late, this.ended.then(() => Promise.reject(this.failure()))]);
    } finally {
      stop();
      clearTimeout(timer);
    }
  }

  /** What to say when this process ended and should not have. */
  failure(): DemoError {
    const { name, logFile } = this.specification;
    const how = this.end?.signal ? `was stopped by ${this.end.signal}` : `ended with exit code ${this.end?.code ?? '?'}`;
    return new DemoError('process-failed', `${name} ${how}${this.lastWords === '' ? '' : `: ${this.lastWords}`}\nIts log: ${logFile}`);
  }

  /** Signals the whole process group. A process that is gone already is no error. */
  kill(signal: NodeJS.Signals): void {
    const pid = this.child.pid;
    if (pid === undefined || !this.running) return;
    this.askedToEnd = true;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Asks it to end, and insists after the grace period. */
  async stop(graceMs = 5000): Promise<ProgramEnd> {
    this.kill('SIGTERM');
    const insist = setTimeout(() => this.kill('SIGKILL'), graceMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(insist);
    }
  }

  private takeOutput(line: string): void {
    keep(this.output, line, KEPT_OUTPUT);
    const event = readEvent(line);
    if (event === undefined) return;
    for (const listener of this.listeners) listener(event);
  }

  private finish(end: ProgramEnd, resolve: (end: ProgramEnd) => void): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.log.end(() => resolve(end));
  }
}

function readEvent(line: string): ProgramEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as ProgramEvent;
  } catch {
    // A line that only looks like an event stays in the log.
    return undefined;
  }
}

function keep(lines: string[], line: string, most = KEPT_LINES): void {
  lines.push(line);
  if (lines.length > most) lines.shift();
}
