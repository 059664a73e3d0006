import type { Verdict } from '../verify/index.js';

export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Takes the exit code that a command comes to. */
export type Conclude = (exitCode: number) => void;

export const HOLDS = 0;
export const DOES_NOT_HOLD = 1;
/** Also for wrong use. */
export const COULD_NOT_CHECK = 2;

export const exitCodes: Readonly<Record<Verdict, number>> = {
  holds: HOLDS,
  'does-not-hold': DOES_NOT_HOLD,
  'could-not-check': COULD_NOT_CHECK,
  'self-consistent': COULD_NOT_CHECK,
};
