import { LedgerError } from '../errors/index.js';
import { TILE_WIDTH } from './tile.path.js';

const MAX_ENTRY_BYTES = 0xffff;
/** Twice a full bundle: what was put into one can still be named, and a megabyte of zeros is not read as half a million empty entries. */
const MAX_ENTRIES = 2 * TILE_WIDTH;

/** Entries one behind the other, each as uint16be length ‖ bytes. @throws LedgerError 'entry-too-large' */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      entries.flatMap((entry) => {
        if (entry.length > MAX_ENTRY_BYTES) {
          throw new LedgerError('entry-too-large', `an entry has ${entry.length} bytes; a bundle holds at most ${MAX_ENTRY_BYTES} each`);
        }
        const length = Buffer.alloc(2);
        length.writeUInt16BE(entry.length);
        return [length, entry];
      }),
    ),
  );
}

/**
 * @param name what the error calls these bytes, e.g. their path
 * @throws LedgerError 'malformed-tile' when the bytes do not end exactly where an entry ends, or hold more entries than any bundle
 */
export function decodeBundle(bytes: Uint8Array, name = 'the bundle'): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (entries.length === MAX_ENTRIES)
      throw new LedgerError(
        'malformed-tile',
        `${name} holds more than ${MAX_ENTRIES} entries, and no bundle has more than ${TILE_WIDTH}; fetch it again`,
      );
    const start = offset + 2;
    const end = start + (bytes[offset]! << 8) + (bytes[offset + 1] ?? 0);
    if (end > bytes.length) {
      throw new LedgerError(
        'malformed-tile',
        `entry ${entries.length} of ${name} runs to byte ${end}, but it has ${bytes.length}; fetch it again`,
      );
    }
    entries.push(new Uint8Array(bytes.subarray(start, end)));
    offset = end;
  }
  return entries;
}
