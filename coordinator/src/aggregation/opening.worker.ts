import { answering } from '@coferment/crypto';
import { DamagedFile, openRange, type OpenedRange, type OpeningTask } from '@coferment/ledger/opening';
import type { Stepped, StepTask } from './sum.step.js';

/** A file that a task needs is not what was stored. */
export interface Damaged {
  damaged: { path: string; reason: string };
}

/** What a thread is asked, and what it answers. */
export type AggregationTask = { do: 'open'; task: OpeningTask } | { do: 'step'; task: StepTask };
export type AggregationResult = { did: 'open'; result: OpenedRange } | { did: 'step'; result: Stepped } | ({ did: 'nothing' } & Damaged);

export default answering<AggregationTask, AggregationResult>(
  async ({ do: what, task }) => {
    try {
      switch (what) {
        case 'open':
          return { did: 'open', result: await openRange(task) };
        case 'step': {
          // Only here, and once: plans and strategies take memory in every thread that loads them.
          const { takeStep } = await import('./sum.step.js');
          return { did: 'step', result: await takeStep(task) };
        }
      }
    } catch (error) {
      if (error instanceof DamagedFile) return { did: 'nothing', damaged: { path: error.path, reason: error.message } };
      throw error;
    }
  },
  () => [],
);
