import { LedgerError } from '../errors/index.js';

/** Hashes, or entries, in a full tile (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const MAX_LEVEL = 63;

/** One resource of a tiled log. */
export interface TileCoordinate {
  readonly level: number | 'entries';
  readonly index: bigint;
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number;
}

/** `tile/<level>/<index>[.p/<width>]`, e.g. `tile/0/x001/x234/067.p/8`. @throws LedgerError 'out-of-range' */
export function tilePath({ level, index, width }: TileCoordinate): string {
  if (level !== 'entries' && (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL)) {
    throw new LedgerError('out-of-range', `tile level ${level} is not between 0 and ${MAX_LEVEL}`);
  }
  if (index < 0n) throw new LedgerError('out-of-range', `tile index ${index} is negative`);
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new LedgerError('out-of-range', `tile width ${width} is not between 1 and ${TILE_WIDTH}`);
  }
  const digits = index.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g)!;
  // The leading x keeps folder 001 and file 001 apart.
  const path = groups.map((group, position) => (position < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** All tiles at one level of a tree of `size` leaves: the full ones, then the partial one if there is one. */
export function* tilesOfLevel(level: number | 'entries', size: bigint): Generator<TileCoordinate> {
  const height = level === 'entries' ? 0n : BigInt(level);
  const hashes = size >> (8n * height);
  for (let index = 0n; index < hashes >> 8n; index++) yield { level, index, width: TILE_WIDTH };
  const rest = Number(hashes & 255n);
  if (rest > 0) yield { level, index: hashes >> 8n, width: rest };
}

/** Levels that a tree of `size` leaves has tiles in. */
export function levelCount(size: bigint): number {
  let levels = 0;
  while (size >> BigInt(8 * levels) > 0n) levels++;
  return levels;
}
