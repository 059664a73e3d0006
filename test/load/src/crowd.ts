import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Approvals, LightAgentPlace } from './light.agent.js';

export type CrowdOrder =
  | { do: 'open'; places: readonly LightAgentPlace[] }
  | { do: 'join'; site: string; invite: string }
  | { do: 'approve'; approvals: Approvals }
  | { do: 'serve' }
  | { do: 'silence'; site: string }
  | { do: 'cut'; site: string; bytes: number }
  | { do: 'restore'; site: string }
  | { do: 'stop' };

export type CrowdAnswer = { id: number; value: string } | { id: number; error: string } | { told: string };

const ENTRY = fileURLToPath(new URL('./crowd.process.js', import.meta.url));

/** A process with some of the agents. */
export class Crowd {
  readonly #waiting = new Map<number, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  #child!: ChildProcess;
  #nextId = 0;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    readonly places: readonly LightAgentPlace[],
    private readonly told: (text: string) => void,
  ) {}

  get sites(): string[] {
    return this.places.map(({ site }) => site);
  }

  async start(): Promise<void> {
    const child = fork(ENTRY, [], {
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (answer: CrowdAnswer) => this.#take(answer));
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`A process of agents ended (${signal ?? code}).`));
        this.#waiting.clear();
        resolve();
      });
    });
    await this.ask({ do: 'open', places: this.places });
  }

  ask(order: CrowdOrder): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, order }, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(error);
      });
    });
  }

  /** SIGKILL: it gets no chance to write anything. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<void> {
    await this.ask({ do: 'stop' }).catch(() => undefined);
    await this.kill();
  }

  #take(answer: CrowdAnswer): void {
    if ('told' in answer) {
      this.told(answer.told);
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }
}
