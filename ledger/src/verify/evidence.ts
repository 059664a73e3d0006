import type { Predicate, PredicateName, Statement } from '@coferment/consortium';
import type { CheckProblem } from './verification.report.js';

/** A statement of the log whose signature was verified under the key that its signer had at that time. */
export type Recorded<N extends PredicateName = PredicateName> = {
  [M in N]: { index: number; name: M; predicate: Predicate<M>; digest: string };
}[N];

/** Everything that the log proves, ready to be looked up. Statements that did not verify are not in here: they are evidence of nothing. */
export class Evidence {
  readonly #byName = new Map<PredicateName, Recorded[]>();
  readonly #byDigest = new Map<string, Recorded>();

  add(index: number, statement: Statement): Recorded | undefined {
    const recorded = { ...statement, index } as Recorded;
    const list = this.#byName.get(statement.name) ?? [];
    // The same signed act may stand in the log twice, e.g. after a retry; it stays one act.
    if (this.#byDigest.has(statement.digest)) return undefined;
    this.#byDigest.set(statement.digest, recorded);
    list.push(recorded);
    this.#byName.set(statement.name, list);
    return recorded;
  }

  /** In the order of the log. */
  all<N extends PredicateName>(name: N): Recorded<N>[] {
    return (this.#byName.get(name) ?? []) as Recorded<N>[];
  }

  find<N extends PredicateName>(name: N, matches: (predicate: Predicate<N>) => boolean): Recorded<N> | undefined {
    return this.all(name).find((recorded) => matches(recorded.predicate as Predicate<N>));
  }

  /** The statement with this digest, if it is of this name. */
  at<N extends PredicateName>(name: N, digest: string): Recorded<N> | undefined {
    const recorded = this.#byDigest.get(digest);
    return recorded?.name === name ? (recorded as Recorded<N>) : undefined;
  }

  run(run: string): Recorded<'run-opened'> | undefined {
    return this.find('run-opened', (predicate) => predicate.run === run);
  }

  epoch(run: string, epoch: number): Recorded<'key-epoch'> | undefined {
    return this.find('key-epoch', (predicate) => predicate.run === run && predicate.epoch === epoch);
  }

  /** The first key epoch of a run, whose n, c and ρ rule all of them: a smaller later roster must not make certificates cheaper. */
  firstEpoch(run: string): Recorded<'key-epoch'> | undefined {
    return this.find('key-epoch', (predicate) => predicate.run === run);
  }

  frozen(run: string, sum: number): Recorded<'round-frozen'> | undefined {
    return this.find('round-frozen', (predicate) => predicate.run === run && predicate.sum === sum);
  }
}

export function place(recorded: { index: number; name: PredicateName }): string {
  return `entry ${recorded.index} (${recorded.name})`;
}

/** Collects what is wrong with one statement after another. */
export class ProblemList {
  readonly problems: CheckProblem[] = [];

  add(recorded: { index: number; name: PredicateName }, problem: string): void {
    this.problems.push({ where: place(recorded), problem });
  }

  /** Notes the problem unless the condition is met; tells whether it is. */
  require(condition: boolean, recorded: { index: number; name: PredicateName }, problem: string): boolean {
    if (!condition) this.add(recorded, problem);
    return condition;
  }
}

/** The first id that is not strictly larger than the one before it, if any. */
export function unsorted(ids: readonly string[]): string | undefined {
  return ids.find((id, position) => position > 0 && ids[position - 1]! >= id);
}
