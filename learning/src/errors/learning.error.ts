export type LearningErrorCode =
  | 'backend-unavailable'
  | 'backend-not-started'
  | 'malformed-batch'
  | 'no-rows'
  | 'shape-mismatch'
  | 'not-finite';

/** Every failure of this package. The message names the offending value and what to do next. */
export class LearningError extends Error {
  override readonly name = 'LearningError';

  constructor(
    readonly code: LearningErrorCode,
    message: string,
  ) {
    super(message);
  }
}
