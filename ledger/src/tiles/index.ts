export { AuthenticTiles, firstDifferingEntry } from './authentic.tiles.js';
export { decodeBundle, encodeBundle } from './entry.bundle.js';
export { type WriteFile, exportTiles, tileBytes } from './tile.export.js';
export { TiledRoot, hashAt, leavesOf, tileRoot } from './leaf.hashes.js';
export {
  type ReadFile,
  type TileProblem,
  compareTile,
  compareTiles,
  firstDifference,
  readBundle,
  readEntries,
  readTile,
} from './tile.import.js';
export { type FullTile, TileEdge } from './tile.edge.js';
export { TILE_WIDTH, type TileCoordinate, levelCount, tilePath, tilesOfLevel } from './tile.path.js';
export { type FetchTiles, type HashTile, askTiles, hashTile } from './tile.tree.js';
