/**
 * Names and reasons in a ledger were written by whoever signed them. A control character could rewrite a terminal's screen, a direction mark could turn
 * "not counted" around (Unicode Technical Report 36): both, and what else nobody sees, are shown as their numbers.
 */
export function shownText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu,
      (character) => `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`,
    );
}

/** A digest as people compare it at a glance; the whole of it stands in the JSON. */
export function shortDigest(hex: string): string {
  return `${hex.slice(0, 10)}…`;
}
