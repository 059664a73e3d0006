export type DemoErrorCode = 'bad-option' | 'bad-consortium' | 'process-failed' | 'bad-answer' | 'run-failed' | 'stalled' | 'interrupted';

/** Whatever ends the demo early. The message says what happened, with the value, and what to do next. */
export class DemoError extends Error {
  override readonly name = 'DemoError';

  constructor(
    readonly code: DemoErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
