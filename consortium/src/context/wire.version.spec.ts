import { describe, expect, it } from 'vitest';
import { matchVersion } from './wire.version.js';

describe('two releases', () => {
  it.each([
    ['1.2', '1.2'],
    ['1.2', '1.1'],
    ['1.2', '1.3'],
    ['1.9', '1.10'],
  ])('of wire versions %s and %s work together, whichever asks', (ours, theirs) => {
    expect(matchVersion(theirs, ours)).toBe('together');
    expect(matchVersion(ours, theirs)).toBe('together');
  });

  it.each([
    ['1.2', '1.0'],
    ['1.2', '1.4'],
    ['1.0', '2.0'],
    ['1.1', '2.1'],
    ['1.1', '11.1'],
  ])('of wire versions %s and %s do not, whichever asks', (ours, theirs) => {
    expect(matchVersion(theirs, ours)).toBe('apart');
    expect(matchVersion(ours, theirs)).toBe('apart');
  });

  it.each(['', '1', '1.', '.1', '1.0.0', 'v1.0', '1.0 ', '-1.0', '12345.0'])('cannot be told apart by "%s"', (version) =>
    expect(matchVersion(version)).toBe('malformed'),
  );
});
