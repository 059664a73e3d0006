import { CoordinatorError } from '../errors/index.js';

/** A stored file that a sum needs is gone or is not what was stored. Nothing is lost but time: once it is restored, the sum opens. */
export class DamagedObject extends CoordinatorError {
  constructor(
    /** For messages: `the upload of "alpha" to sum 4`. */
    readonly what: string,
    readonly path: string,
    reason: string,
  ) {
    super(
      'unknown-object',
      `The stored bytes of ${what} (${path}) are not those that were received: ${reason}. Nothing was opened. Restore the file from a backup; the sum is tried again.`,
    );
  }
}
