/** A text that a site wrote, fit for a terminal: on one line, without terminal escapes (C0 and C1 control characters) and without marks that turn the writing. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what must not reach a screen
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ');
}
