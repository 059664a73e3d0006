import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';

/** Sites that were set aside are waited for again. */
@Injectable()
export class ReadmissionService {
  readmit(run: string, site: string): Promise<void> {
    throw new CoordinatorError('internal', `Readmitting "${site}" to run ${run} is not built.`);
  }
}
