/** A value that must stand nowhere but where it is sealed. */
export interface Secret {
  /** What it is and whose, for the message; never the value. */
  readonly name: string;
  readonly value: Buffer;
}

/** The spellings in which a value could slip into a file, a log or an environment. */
function spellings(value: Buffer): Buffer[] {
  const texts = [value.toString('hex'), value.toString('hex').toUpperCase()];
  // In base64 a value begins at one of three offsets; its first and last characters mix with their neighbours.
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), value])
      .toString('base64')
      .replaceAll('=', '');
    const own = encoded.slice(offset === 0 ? 0 : 4, -2);
    texts.push(own, own.replaceAll('+', '-').replaceAll('/', '_'));
  }
  // JSON and reports write a key's line ends as two characters.
  const escaped = value.toString('latin1').replaceAll('\n', String.raw`\n`);
  return [value, Buffer.from(escaped, 'latin1'), ...texts.map((text) => Buffer.from(text))];
}

const PIECE_BYTES = 32;
const MOST_PIECES = 8;

/** Long secrets are looked for by pieces spread over them: a part of a key in a log is as bad as the whole. */
function piecesOf(value: Buffer): Buffer[] {
  if (value.length <= 2 * PIECE_BYTES) return [value];
  const pieces = Math.min(MOST_PIECES, Math.floor(value.length / PIECE_BYTES));
  return Array.from({ length: pieces }, (_, index) => {
    const at = Math.floor((index * (value.length - PIECE_BYTES)) / (pieces - 1));
    return value.subarray(at, at + PIECE_BYTES);
  });
}

const SHORTEST = 12;
const BITS = 24;

/** Looks for all spellings of all secrets in one pass: thousands of patterns in hundreds of megabytes. */
export class SecretSearch {
  readonly #byStart = new Map<number, { pattern: Buffer; name: string }[]>();
  readonly #starts = new Uint8Array(2 ** BITS);

  constructor(secrets: readonly Secret[]) {
    for (const { name, value } of secrets) {
      if (value.length < SHORTEST) throw new Error(`${name} has ${value.length} bytes: it would be found by chance`);
      for (const pattern of piecesOf(value).flatMap(spellings)) {
        const start = pattern.readUIntBE(0, 3);
        this.#starts[start] = 1;
        const same = this.#byStart.get(start) ?? [];
        this.#byStart.set(start, [...same, { pattern, name }]);
      }
    }
  }

  /** The names of the secrets that stand in these bytes. */
  in(bytes: Buffer): string[] {
    const found = new Set<string>();
    const mask = 2 ** BITS - 1;
    let last = bytes.length < 3 ? 0 : bytes.readUInt16BE(0);
    for (let at = 2; at < bytes.length; at++) {
      last = ((last << 8) | bytes[at]!) & mask;
      if (this.#starts[last] === 0) continue;
      for (const { pattern, name } of this.#byStart.get(last)!) {
        if (!found.has(name) && bytes.subarray(at - 2, at - 2 + pattern.length).equals(pattern)) found.add(name);
      }
    }
    return [...found];
  }
}
