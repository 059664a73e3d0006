/**
 * Decodes standard base64 (RFC 4648 §4) in its one canonical form. Anything else (spaces, other alphabets, missing padding, spare bits) gives
 * undefined: two texts for the same bytes would be two notes or entries that both verify.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
