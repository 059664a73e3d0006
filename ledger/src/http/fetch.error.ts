/**
 * Why something could not be had from a server: `unreachable` after all attempts; `refused` by the server; `redirected` to another server; `too-large` for what it can be;
 * `too-slow`; `malformed` as HTTP. None of them says anything about the log.
 */
export type FetchErrorCode = 'unreachable' | 'refused' | 'redirected' | 'too-large' | 'too-slow' | 'malformed';

/** A server gave nothing that could be judged. The message names the address and what to do next. */
export class FetchError extends Error {
  override readonly name = 'FetchError';

  constructor(
    readonly code: FetchErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
