import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';

/** The operator's hand on a run that is going: its clock, and nothing that a site has approved. */
@Injectable()
export class RunControl {
  pause(run: string, _reason: string): Promise<void> {
    throw new CoordinatorError('internal', `Pausing run ${run} is not built.`);
  }

  resume(run: string): Promise<void> {
    throw new CoordinatorError('internal', `Resuming run ${run} is not built.`);
  }

  /** @returns the new deadline */
  extend(run: string, sum: number, _byMs: number, _reason: string): Promise<number> {
    throw new CoordinatorError('internal', `Extending sum ${sum} of run ${run} is not built.`);
  }
}
