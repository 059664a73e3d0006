import { isatty } from 'node:tty';

const QUIET_MS = 2000;
const EVERY_MS = 1000;

/**
 * Says on standard error how far a long command is: nothing in its first two seconds, then once a second; on a terminal in one line that changes.
 * @param print where it says so
 */
export function progressLine(
  print: (text: string) => void,
  isTerminal = isatty(2),
  now: () => number = Date.now,
): { show(text: string): void; end(): void } {
  let last = now() + QUIET_MS - EVERY_MS;
  let isOpen = false;
  return {
    show(text) {
      if (now() - last < EVERY_MS) return;
      last = now();
      isOpen = isTerminal;
      print(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    },
    end() {
      if (isOpen) print('\r\u001b[K');
    },
  };
}
