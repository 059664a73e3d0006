import { shownText } from '../report/index.js';
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

/** Line ends, bold, dim and three colours, and the line of progress that is written over. To hide text (SGR 8) is not among them. */
// oxlint-disable-next-line no-control-regex -- these are the ones that may reach a screen
const OUR_CONTROLS = /(\n|\r\u001b\[K|\u001b\[(?:1|2|22|31|32|33|39)m)/;

/** The last guard before a terminal: of control characters only those pass that the commands themselves write, wherever a text of somebody else was forgotten. */
export function guardedOutput({ out, err }: Output): Output {
  const guarded = (text: string) =>
    text
      .split(OUR_CONTROLS)
      .map((part, position) => (position % 2 === 1 ? part : shownText(part)))
      .join('');
  return { out: (text) => out(guarded(text)), err: (text) => err(guarded(text)) };
}

/** The same JSON as ever for a program; on a terminal, what JSON leaves as it is (C1 controls, direction marks) does nothing either. */
export function jsonText(value: unknown, space?: number): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part), space);
  return `${text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu, unitEscapes)}\n`;
}

/** A character beyond U+FFFF takes two escapes in JSON. */
function unitEscapes(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`).join('');
}
