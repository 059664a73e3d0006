import { isatty } from 'node:tty';
import picocolors from 'picocolors';

/**
 * Colours for what is written to a stream: 1 is stdout, 2 stderr. On a terminal only: left to itself, or given undefined as isTTY is in a pipe, the library
 * colours a pipe too when CI is set.
 */
export function coloursOf(stream: 1 | 2) {
  return picocolors.createColors(isatty(stream) && picocolors.isColorSupported);
}
