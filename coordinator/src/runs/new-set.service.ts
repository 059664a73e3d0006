import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';

/** Another set for a sum that cannot complete, once everybody concerned has approved it (secure-aggregation.md §3). */
@Injectable()
export class NewSetService {
  propose(run: string, sum: number, _sites: readonly string[]): Promise<{ proposal: string; approvers: string[] }> {
    throw new CoordinatorError('internal', `Another set for sum ${sum} of run ${run} is not built.`);
  }
}
