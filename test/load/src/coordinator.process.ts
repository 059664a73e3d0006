import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type OperatorClient, connect } from '../../../coordinator/dist/cli/operator.client.js';
import { type ProcessFigures, figuresOf } from './process.figures.js';

const PROGRAM = fileURLToPath(new URL('../../../coordinator/bin/coferment.js', import.meta.url));
/** Ends the coordinator when the load is gone, however that came about. */
const PARENT_WATCH = fileURLToPath(new URL('../../../demo/bin/parent-watch.js', import.meta.url));
const PASSPHRASE = 'a passphrase for the load';
const START_MS = 120_000;

interface Listening {
  event: string;
  address: string;
  monitorUrl: string;
}

/** The coordinator as an operator starts it: `coferment start`, with its monitoring port. */
export class CoordinatorProcess {
  #child!: ChildProcess;
  #listening!: Listening;
  operator!: OperatorClient;

  constructor(
    private readonly folder: string,
    private readonly profile?: string,
  ) {}

  get address(): string {
    return this.#listening.address;
  }

  async start(): Promise<void> {
    const passphraseFile = join(this.folder, 'passphrase');
    writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
    const data = join(this.folder, 'coordinator');
    const names = ['--consortium', 'load', '--origin', 'ledger.localhost/load'];
    const places = ['--listen', '127.0.0.1:0', '--monitor-listen', '127.0.0.1:0'];
    const args = ['start', '--data', data, ...names, ...places, '--passphrase-file', passphraseFile, '--json'];
    const profiling = this.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', this.profile];
    const log = openSync(join(this.folder, 'coordinator.log'), 'a');
    this.#child = spawn(process.execPath, ['--no-warnings', '--import', PARENT_WATCH, ...profiling, PROGRAM, ...args], {
      stdio: ['ignore', 'pipe', log, 'ipc'],
    });
    this.#listening = await this.#firstEvent();
    this.operator = await connect(data, PASSPHRASE);
  }

  figures(): ProcessFigures {
    return figuresOf(this.#child.pid!);
  }

  /** Values of its metrics by name, without labels. Those that are not there are NaN. */
  async metrics(): Promise<(name: string) => number> {
    const text = await (await fetch(`${this.#listening.monitorUrl}/metrics`)).text();
    return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  }

  /** SIGTERM, and the end that the coordinator gives itself. */
  async stop(): Promise<void> {
    // Nothing of it is there where the load has failed before it began.
    (this.operator as OperatorClient | undefined)?.close();
    const child = this.#child as ChildProcess | undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** For a load that is given up: whatever it is doing. */
  kill(): void {
    (this.#child as ChildProcess | undefined)?.kill('SIGKILL');
  }

  #firstEvent(): Promise<Listening> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`The coordinator did not listen within ${START_MS / 1000} s.`)), START_MS);
      createInterface(this.#child.stdout!).on('line', (line) => {
        const event = JSON.parse(line) as Listening;
        if (event.event !== 'listening') return;
        clearTimeout(late);
        resolve(event);
      });
      this.#child.once('exit', (code) => reject(new Error(`The coordinator ended with ${code}; its log is in ${this.folder}.`)));
    });
  }
}
