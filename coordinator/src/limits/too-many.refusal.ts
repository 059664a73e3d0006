import { CoordinatorError } from '../errors/index.js';

/** The refusal of whoever asks for more than a limit lets through: nothing was done, and the same call may be made again after `retryAfterMs`. */
export function tooMany(what: string, retryAfterMs: number): CoordinatorError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new CoordinatorError(
    'too-many',
    `${what}. Nothing was done; try again in ${seconds} s. If honest work needs more, the operator raises the limit (docs/limits.md).`,
    { retryAfterMs: seconds * 1000 },
  );
}
