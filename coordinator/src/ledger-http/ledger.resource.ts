import { TILE_WIDTH, type TileCoordinate, tilePath } from '@coferment/ledger';

/** One thing that the public ledger serves. */
export type LedgerResource =
  | { kind: 'checkpoint' }
  | { kind: 'policy' }
  | { kind: 'tile'; level: number; index: number; width: number }
  | { kind: 'entries'; index: number; width: number }
  | { kind: 'payload'; digest: string }
  | { kind: 'object'; digest: string };

const TILE = /^tile\/([0-9]{1,2}|entries)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;
const PAYLOAD = /^payloads\/([0-9a-f]{64})\.json$/;
const OBJECT = /^objects\/([0-9a-f]{64})$/;

/**
 * Reads a path below the ledger's prefix, as it came. Every resource has exactly one path: what is almost one (other case, zeros in front, percent signs, a query) is
 * none, so a cache never holds the same bytes under two names.
 */
export function parseResource(path: string): LedgerResource | undefined {
  if (path === 'checkpoint') return { kind: 'checkpoint' };
  if (path === 'policy.txt') return { kind: 'policy' };
  const payload = PAYLOAD.exec(path)?.[1];
  if (payload !== undefined) return { kind: 'payload', digest: payload };
  const object = OBJECT.exec(path)?.[1];
  if (object !== undefined) return { kind: 'object', digest: object };
  const [, level = '', groups = '', width] = TILE.exec(path) ?? [];
  if (groups === '') return undefined;
  const coordinate: TileCoordinate = {
    level: level === 'entries' ? level : Number(level),
    index: BigInt(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  return isPathOf(coordinate, path) ? resourceOf(coordinate) : undefined;
}

/** Whether all of it lies within the first `size` entries, so that it never changes again. */
export function isWithin({ level, index, width }: { level: number; index: number; width: number }, size: number): boolean {
  return index * TILE_WIDTH + width <= Math.floor(size / TILE_WIDTH ** level);
}

function isPathOf(coordinate: TileCoordinate, path: string): boolean {
  const { level, width } = coordinate;
  const isPossible = (level === 'entries' || level < 64) && width >= 1 && width <= TILE_WIDTH;
  return isPossible && tilePath(coordinate) === path;
}

function resourceOf({ level, index, width }: TileCoordinate): LedgerResource {
  return level === 'entries' ? { kind: 'entries', index: Number(index), width } : { kind: 'tile', level, index: Number(index), width };
}
