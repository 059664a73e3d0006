import { levelCount, tilePath, tilesOfLevel } from '@coferment/ledger';
import { describe, expect, it } from 'vitest';
import { isWithin, parseResource } from './ledger.resource.js';

const DIGEST = '0123456789abcdef'.repeat(4);

describe('a path of the public ledger', () => {
  it.each([
    ['checkpoint', { kind: 'checkpoint' }],
    ['policy.txt', { kind: 'policy' }],
    ['tile/0/000', { kind: 'tile', level: 0, index: 0, width: 256 }],
    ['tile/0/x001/x234/067', { kind: 'tile', level: 0, index: 1_234_067, width: 256 }],
    ['tile/63/000.p/1', { kind: 'tile', level: 63, index: 0, width: 1 }],
    ['tile/entries/x001/000.p/255', { kind: 'entries', index: 1000, width: 255 }],
    [`payloads/${DIGEST}.json`, { kind: 'payload', digest: DIGEST }],
    [`objects/${DIGEST}`, { kind: 'object', digest: DIGEST }],
  ])('%s is read', (path, resource) => {
    expect(parseResource(path)).toEqual(resource);
  });

  it.each([
    '',
    '/',
    '/checkpoint',
    'checkpoint/',
    'Checkpoint',
    'checkpoint?x',
    'check%70oint',
    'checkpoint\n',
    'policy',
    'tile',
    'tile/0',
    'tile/00/000',
    'tile/01/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x000/000',
    'tile/0/x000/x001/000',
    'tile/0/001/000',
    'tile/0/x001',
    'tile/0/X001/000',
    'tile/0/x001/x002/x003/x004/x005/006',
    'tile/0/000.p',
    'tile/0/000.p/',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/999',
    'tile/0/000.p/1/',
    'tile/0/000/.p/1',
    'tile/0/../0/000',
    'tile//000',
    'tile/data/000',
    'tile/Entries/000',
    'tile/0/٠٠٠',
    `payloads/${DIGEST}`,
    `payloads/${DIGEST.toUpperCase()}.json`,
    `payloads/${DIGEST.slice(1)}.json`,
    `payloads/../${DIGEST}.json`,
    `objects/${DIGEST}.json`,
    `objects/${DIGEST}/`,
    `objects/${DIGEST}0`,
    'consortium.json',
    '..',
  ])('%j is none', (path) => {
    expect(parseResource(path)).toBeUndefined();
  });

  it('is there for every tile that an export of the same size has, and for nothing behind them', () => {
    for (const size of [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000]) {
      for (const level of ['entries', ...Array.from({ length: levelCount(BigInt(size)) }, (_, index) => index)] as const) {
        const tiles = [...tilesOfLevel(level, BigInt(size))];
        for (const tile of tiles.slice(-2)) {
          const read = parseResource(tilePath(tile)) as { index: number; width: number; level?: number };
          expect(isWithin({ level: 0, ...read }, size), tilePath(tile)).toBe(true);
        }
        const { index, width } = tiles.at(-1)!;
        const next = width === 256 ? { index: Number(index) + 1, width: 1 } : { index: Number(index), width: width + 1 };
        expect(isWithin({ level: level === 'entries' ? 0 : level, ...next }, size), `behind ${tilePath(tiles.at(-1)!)}`).toBe(false);
      }
    }
  });
});
