import { describe, expect, it } from 'vitest';
import { isOrphan, kindOfObject, type StoredFile } from './orphan.rule.js';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;
const A = 'a'.repeat(64);
const NAMED = new Set([A]);
const file = (kind: StoredFile['kind'], name: string, hours: number): StoredFile => ({
  kind,
  name,
  size: 1,
  writtenMs: NOW - hours * HOUR,
});
const B = 'b'.repeat(64);

describe('a file of the object store', () => {
  it.each([
    ['an object that a row names', file('object', A, 10_000), false],
    ['an object whose row may be on its way', file('object', B, 23), false],
    ['an object without a row', file('object', B, 25), true],
    ['block digests of an object', file('leaves', A, 10_000), false],
    ['block digests of nothing', file('leaves', B, 25), true],
    ['a slow upload', file('draft', `alpha.${B}`, 6 * 24), false],
    ['an upload that nobody goes on with', file('draft', `alpha.${B}.0123456789abcdef`, 8 * 24), true],
    ['what is left of an upload that is whole', file('draft', `alpha.${A}`, 2), true],
    ['what was whole a moment ago', file('draft', `alpha.${A}`, 0.5), false],
    ['a draft of a sum that is being opened', file('draft', '@coordinator.sum-r1-x-5', 23), false],
    ['a draft of a crash', file('draft', '@coordinator.sum-r1-x-5', 25), true],
    ['a file from the future, after a clock was set back', file('object', B, -1000), false],
  ])('%s: orphan %#', (_, found, orphan) => {
    expect(isOrphan(found, NAMED, NOW)).toBe(orphan);
  });

  it.each(['store.json', 'partial', `${A}.bak`, A.toUpperCase(), 'probe-1', '../x', ''])('is not %s', (name) => {
    expect(kindOfObject(name)).toBeUndefined();
  });
});
