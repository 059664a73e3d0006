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

/** Plain data with every text in it as {@link shownText} has it: what is made of it can neither move a cursor nor begin a line of its own. */
export function shownData<T>(data: T): T {
  if (typeof data === 'string') return shownText(data) as T;
  if (Array.isArray(data)) return data.map(shownData) as T;
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return data;
  return Object.fromEntries(Object.entries(data).map(([name, part]: [string, unknown]) => [name, shownData(part)])) as T;
}

/** A digest as people compare it at a glance; the whole of it stands in the JSON. */
export function shortDigest(hex: string): string {
  return `${hex.slice(0, 10)}…`;
}
