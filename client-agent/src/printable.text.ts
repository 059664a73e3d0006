/** What a person is shown of one text from outside, at most; a screen must not be filled by a stranger. */
const LONGEST = 600;

/**
 * A text that came over the wire, fit for a terminal: on one line, without terminal escapes (C0 and C1 control characters) and without marks
 * that turn the direction of writing.
 */
export function printable(text: string, longest = LONGEST): string {
  // oxlint-disable-next-line no-control-regex -- these are what must not reach a screen
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ').slice(0, longest);
}

/** A text of several lines, for a terminal: its line ends stay. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, Number.POSITIVE_INFINITY))
    .join('\n');
}
