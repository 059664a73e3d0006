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

const living = new Set<ChildProcess>();

/** For an interrupted bench: in the middle of synchronous work a role would notice only at its end. */
export function killRoles(): void {
  for (const child of living) child.kill('SIGKILL');
}

process.once('exit', killRoles);

/** A party of the round in a process of its own, so that its processor time and its memory are its own. */
export class RoleProcess<H extends RoleHandlers> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  /** Rejects when the process is gone, and stays so: nobody waits for a role that cannot answer. */
  readonly #end: Promise<never>;
  #nextId = 0;

  /** @param entry compiled file of the role, relative to the folder of this file */
  constructor(
    readonly name: string,
    entry: string,
  ) {
    const child = fork(fileURLToPath(new URL(entry, import.meta.url)), [], {
      serialization: 'advanced',
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    living.add(child);
    child.on('message', (answer: Answer) => {
      const call = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) call?.resolve(answer.value);
      else call?.reject(new Error(`${name}: ${answer.error}`));
    });
    this.#end = new Promise((_, reject) => {
      const ended = (how: string): void => {
        living.delete(child);
        reject(new Error(`The process of the ${name} ended (${how}): it answers no more.`));
      };
      child.on('exit', (code, signal) => ended(signal ?? `code ${code}`));
      // A process that never started has no exit; one that does not take a message is of no use either.
      child.on('error', (error) => {
        child.kill('SIGKILL');
        ended(error.message);
      });
    });
    this.#end.catch(() => {});
  }

  /** Rejects when this process ends, however it ends and also when it ended before the call. */
  call<K extends keyof H & string>(method: K, ...[input]: Parameters<H[K]>): Promise<Awaited<ReturnType<H[K]>>> {
    const id = this.#nextId++;
    const answer = new Promise<Awaited<ReturnType<H[K]>>>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ id, method, input } satisfies Request, (error) => {
        if (error !== null) reject(error);
      });
    });
    return this.whileAlive(answer).finally(() => this.#waiting.delete(id));
  }

  /** What another role does with this one, which it may wait for in vain when this one is gone. */
  whileAlive<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#end, work]);
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#end.catch(() => {});
  }
}
