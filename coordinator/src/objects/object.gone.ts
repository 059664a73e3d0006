import { CoordinatorError } from '../errors/index.js';

/** An object that a row names is not in the store as its name says: it is gone, or was cut or changed. */
export class ObjectGone extends CoordinatorError {
  /**
   * @param place where it should lie: for the operator, not for sites
   * @param reason such as `it is gone`
   */
  constructor(
    readonly digest: string,
    readonly place: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(
      'unknown-object',
      `The object ${digest} is not whole in the object store: ${reason}. Ask the operator to restore it from a backup.`,
      options,
    );
  }
}
