import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a role can be asked to do, by name; a call takes at most one object. */
export type RoleHandlers = Record<string, (input: never) => unknown>;

interface Request {
  id: number;
  method: string;
  input: unknown;
}

type Answer = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: string };

/** Answers the bench's calls in a process of its own, and ends with it. */
export function serveRole(handlers: RoleHandlers): void {
  const answer = async ({ id, method, input }: Request): Promise<Answer> => {
    try {
      const work = handlers[method];
      if (work === undefined) throw new Error(`This role has no ${method}.`);
      return { id, ok: true, value: await work(input as never) };
    } catch (error) {
      return { id, ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on('message', (request: Request) => {
    void answer(request).then((reply) => process.send?.(reply));
  });
  // Whatever ends the bench, a kill included, closes this channel: no role outlives it.
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group; the bench ends its roles itself, after its files.
  process.on('SIGINT', () => {});
}

/** A party of the round in a process of its own, so that its processor time and its memory are its own. */
export class RoleProcess<H extends RoleHandlers> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  /** Also where the bench is interrupted: in the middle of synchronous work a role would notice only at its end. */
  readonly #kill = (): void => void this.#child.kill('SIGKILL');
  #nextId = 0;

  /** @param entry compiled file of the role, relative to the folder of this file */
  constructor(
    readonly name: string,
    entry: string,
  ) {
    this.#child = fork(fileURLToPath(new URL(entry, import.meta.url)), [], {
      serialization: 'advanced',
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    process.once('exit', this.#kill);
    this.#child.on('message', (answer: Answer) => {
      const call = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) call?.resolve(answer.value);
      else call?.reject(new Error(`${name}: ${answer.error}`));
    });
    this.#child.on('exit', (code, signal) => {
      const error = new Error(`The process of the ${name} ended (${signal ?? `code ${code}`}) before it answered.`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  call<K extends keyof H & string>(method: K, ...[input]: Parameters<H[K]>): Promise<Awaited<ReturnType<H[K]>>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ id, method, input } satisfies Request, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#kill();
    await gone;
    process.off('exit', this.#kill);
  }
}
