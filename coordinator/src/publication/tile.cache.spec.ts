import { describe, expect, it } from 'vitest';
import { TileCache } from './tile.cache.js';

const tile = (value: number) => Uint8Array.of(value);

describe('the cache of tiles', () => {
  it('lets go of the one that was not used for longest', () => {
    const cache = new TileCache(2);
    cache.put('a', tile(1));
    cache.put('b', tile(2));
    expect(cache.get('a')).toEqual(tile(1));
    cache.put('c', tile(3));
    expect(cache.get('b')).toBeUndefined();
    expect([cache.get('a'), cache.get('c')]).toEqual([tile(1), tile(3)]);
  });

  it('keeps one that is put again once', () => {
    const cache = new TileCache(2);
    for (const name of ['a', 'a', 'b']) cache.put(name, tile(1));
    expect(cache.get('a')).toBeDefined();
  });
});
