import { writeFile } from 'node:fs/promises';
import { type AggregationParameters, judgeParity, merkleRoot, parameterSet, splitIntoRanges, WorkerPool } from '@coferment/crypto';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DamagedObject } from './damaged.object.js';
import type { AggregationResult, AggregationTask, OpenedRange } from './opening.worker.js';
import type { Stepped, StepTask } from './sum.step.js';

/** A stored upload or share and what its site signed for it. */
export interface SignedFile {
  /** For messages: `the upload of "alpha"`. */
  what: string;
  path: string;
  merkleRoot: string;
}

export interface StoredSum {
  parameters: AggregationParameters;
  /** Coefficients in use in every vector of the sum. */
  coefficients: number;
  /** One for each counted site. */
  uploads: readonly SignedFile[];
  /** By position of the key holder, from 0. */
  shares: ReadonlyMap<number, SignedFile>;
  /** The file that the opened coefficients are written to, one little-endian 64-bit word each. */
  target: string;
}

/**
 * 'parity': a share is wrong, and `wrong` gives the positions of the holders once enough shares have arrived. 'residual': the sum is not where honest
 * parties would put it. 'malformed': something that was signed is no upload or no share. Nothing of the target means anything then.
 */
export type StoredOpening = { ok: true } | { ok: false; reason: 'parity' | 'residual' | 'malformed'; wrong: number[]; detail: string };

/** Blocks a task, so that a large sum keeps all threads busy to its end. */
const MOST_BLOCKS_A_TASK = 32;

/** Opens sums from stored uploads and shares on worker threads, with memory that grows neither with the vector nor with the sites. */
@Injectable()
export class SumOpener implements OnModuleDestroy {
  readonly #threads = navigator.hardwareConcurrency;
  readonly #pool = new WorkerPool<AggregationTask, AggregationResult>({
    what: 'opening sums',
    // The built worker, also where this file is run from its source: a thread has no test runner that would compile it.
    module: new URL('../../dist/aggregation/opening.worker.js', import.meta.url).href,
    threads: this.#threads,
  });

  onModuleDestroy(): Promise<void> {
    return this.#pool.close();
  }

  /**
   * R7 over files: the same answer, bit for bit, as `combine` over the whole vectors. Every byte that goes into the sum is compared with what its site signed.
   * @throws DamagedObject naming an upload or share that is gone or was changed on disk: nothing is known about the sum then
   */
  async open(sum: StoredSum): Promise<StoredOpening> {
    const { parameters, shares } = sum;
    await writeFile(sum.target, '', { mode: 0o600 });
    const holders = [...shares.keys()];
    const opened = await this.#open(sum, holders, sum.target);
    if (opened.malformed !== undefined) return { ok: false, reason: 'malformed', wrong: [], detail: opened.malformed };
    const verdict = judgeParity({ parameters, holders, failedRelations: opened.failedRelations });
    if (verdict.consistent) {
      if (opened.complete) return { ok: true };
      return { ok: false, reason: 'residual', wrong: [], detail: 'the decryption shares do not fit together' };
    }
    const refused = { ok: false, reason: 'parity', wrong: [] as number[], detail: 'the decryption shares do not fit together' } as const;
    const { suspects } = verdict;
    if (suspects === undefined) return refused;
    // Liars that agree with each other are a consistent set too and would put the blame on an honest holder: the others must also open the sum.
    const trusted = await this.#open(
      sum,
      holders.filter((holder) => !suspects.includes(holder)),
      null,
    );
    return trusted.complete ? { ...refused, wrong: suspects } : refused;
  }

  /**
   * What follows from an opened sum, on a thread: at a million parameters it would hold up every call and poll for a quarter of a second.
   * @throws DamagedObject naming the model that is gone or was changed on disk
   */
  async step(task: StepTask): Promise<Stepped> {
    const answer = await this.#pool.run({ do: 'step', task });
    switch (answer.did) {
      case 'step':
        return answer.result;
      case 'nothing':
        throw damaged(
          task.from === undefined ? [] : [{ what: `the model of round ${task.from.facts.round}`, path: task.from.path }],
          answer.damaged,
        );
      case 'open':
        throw new TypeError('a thread opened blocks where it was asked for a step');
    }
  }

  async #open(sum: StoredSum, holders: readonly number[], target: string | null): Promise<Omit<OpenedRange, 'digests'>> {
    const { parameters, coefficients, uploads } = sum;
    const shares = holders.map((position) => ({ position, signed: sum.shares.get(position)! }));
    const task = {
      parameters,
      coefficients,
      uploads: uploads.map(({ path }) => path),
      shares: shares.map(({ position, signed: { path } }) => ({ position, path })),
      sum: target,
    };
    const blocks = Math.ceil(coefficients / parameterSet(parameters.set).degree);
    const ranges = splitIntoRanges(blocks, Math.min(MOST_BLOCKS_A_TASK, Math.ceil(blocks / this.#threads)));
    const settled = await Promise.allSettled(ranges.map((range) => this.#pool.run({ do: 'open', task: { ...task, range } })));
    const files = [...uploads, ...shares.map(({ signed }) => signed)];
    const parts: OpenedRange[] = [];
    for (const outcome of settled) {
      if (outcome.status === 'rejected') throw outcome.reason;
      const answer = outcome.value;
      if (answer.did === 'nothing') throw damaged(files, answer.damaged);
      if (answer.did === 'open') parts.push(answer.result);
    }
    for (const [index, file] of files.entries()) requireSigned(file, Buffer.concat(parts.map(({ digests }) => digests[index]!)));
    return {
      failedRelations: parts.flatMap(({ failedRelations }) => failedRelations),
      complete: parts.every(({ complete }) => complete),
      malformed: parts.find(({ malformed }) => malformed !== undefined)?.malformed,
    };
  }
}

function requireSigned(file: SignedFile, digests: Buffer): void {
  const leaves = Array.from({ length: digests.length / 32 }, (_, block) => digests.subarray(block * 32, (block + 1) * 32));
  const found = merkleRoot(leaves);
  if (found !== file.merkleRoot)
    throw new DamagedObject(file.what, file.path, `its blocks have the Merkle root ${found}; its site signed ${file.merkleRoot}`);
}

function damaged(files: readonly Pick<SignedFile, 'what' | 'path'>[], { path, reason }: { path: string; reason: string }): DamagedObject {
  const file = files.find((candidate) => candidate.path === path);
  return new DamagedObject(file?.what ?? 'the sum that was just opened', path, reason);
}
