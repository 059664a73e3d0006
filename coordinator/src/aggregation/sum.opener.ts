import { writeFile } from 'node:fs/promises';
import { WorkerPool } from '@coferment/crypto';
import {
  DamagedFile,
  type OpenedRange,
  type OpeningTask,
  openStoredSum,
  type SignedFile as LedgerFile,
  type StoredOpening as FileOpening,
  type StoredSum as StoredFiles,
} from '@coferment/ledger/opening';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DamagedObject } from './damaged.object.js';
import type { AggregationResult, AggregationTask } from './opening.worker.js';
import type { Stepped, StepTask } from './sum.step.js';

/** As the ledger package has it, with what a message calls it: `the upload of "alpha"`. */
export interface SignedFile extends LedgerFile {
  what: string;
}

export interface StoredSum extends Omit<StoredFiles<SignedFile>, 'sum'> {
  /** The file that the opened coefficients are written to, one little-endian 64-bit word each. */
  target: string;
}

/**
 * 'parity': a share is wrong, and `wrong` gives the positions of the holders once enough shares have arrived. 'residual': the sum is not where honest
 * parties would put it. 'malformed': something that was signed is no upload or no share. Nothing of the target means anything then.
 */
export type StoredOpening = { ok: true } | { ok: false; reason: 'parity' | 'residual' | 'malformed'; wrong: number[]; detail: string };

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
    await writeFile(sum.target, '', { mode: 0o600 });
    try {
      const opening = await openStoredSum(
        { ...sum, sum: { do: 'write', path: sum.target } },
        { open: (task) => this.#run(task), threads: this.#threads },
      );
      return described(opening);
    } catch (error) {
      if (error instanceof DamagedFile)
        throw damaged([...sum.uploads, ...sum.shares.values()], { path: error.path, reason: error.message });
      throw error;
    }
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

  async #run(task: OpeningTask): Promise<OpenedRange> {
    const answer = await this.#pool.run({ do: 'open', task });
    switch (answer.did) {
      case 'open':
        return answer.result;
      case 'nothing':
        throw new DamagedFile(answer.damaged.path, answer.damaged.reason);
      case 'step':
        throw new TypeError('a thread took a step where it was asked to open blocks');
    }
  }
}

function described(opening: FileOpening): StoredOpening {
  if (opening.ok) return { ok: true };
  const unfitting = 'the decryption shares do not fit together';
  switch (opening.reason) {
    case 'parity':
      return { ...opening, detail: unfitting };
    case 'residual':
      return { ...opening, wrong: [], detail: unfitting };
    case 'malformed': {
      const { upload, detail } = opening;
      return { ok: false, reason: 'malformed', wrong: [], detail: upload === undefined ? detail : `upload ${upload}: ${detail}` };
    }
  }
}

function damaged(files: readonly Pick<SignedFile, 'what' | 'path'>[], { path, reason }: { path: string; reason: string }): DamagedObject {
  const file = files.find((candidate) => candidate.path === path);
  return new DamagedObject(file?.what ?? 'the sum that was just opened', path, reason);
}
