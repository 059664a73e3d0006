import { describe, expect, it } from 'vitest';
import { checksumFault, formatChecksums, parseChecksums } from './checksum.list.js';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

describe('a list of checksums', () => {
  it('is what sha256sum writes, in the order of paths, and reads as it was written', () => {
    const list = new Map([
      ['keys/tls.sealed', B],
      ['backup.json', A],
    ]);
    expect(formatChecksums(list)).toBe(`${A}  backup.json\n${B}  keys/tls.sealed\n`);
    expect(parseChecksums(formatChecksums(list))).toEqual(list);
    expect(formatChecksums(new Map())).toBe('');
  });

  it.each([
    ['a cut line', `${A}  backup.js`],
    ['an empty line', `${A}  a\n\n`],
    ['a short digest', `${A.slice(1)}  a\n`],
    ['one blank', `${A} a\n`],
    ['a path twice', `${A}  a\n${B}  a\n`],
    ['a path upwards', `${A}  ../a\n`],
    ['a path upwards in the middle', `${A}  keys/../../a\n`],
    ['a path from the root', `${A}  /etc/passwd\n`],
    ['a path with a drive', `${A}  C:a\n`],
    ['a path with a backslash', `${A}  ..\\a\n`],
    ['a path with dots', `${A}  ./a\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseChecksums(text)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('is not written for a path that it could not be read with', () => {
    expect(() => formatChecksums(new Map([['a\nb', A]]))).toThrow(/has a line that is none/);
  });

  it('finds what is missing, altered or too much', () => {
    const listed = new Map([['a', A]]);
    expect(checksumFault(listed, new Map([['a', A]]))).toBeUndefined();
    expect(checksumFault(listed, new Map())).toBe('a is missing');
    expect(checksumFault(listed, new Map([['a', B]]))).toBe('a was altered');
    expect(
      checksumFault(
        listed,
        new Map([
          ['a', A],
          ['b', B],
        ]),
      ),
    ).toMatch(/b is not on/);
  });
});
