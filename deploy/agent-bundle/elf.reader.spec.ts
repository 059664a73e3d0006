import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readElf } from './elf.reader.ts';
import { INSTALLER } from './installer.fixture.ts';

const NODE = join(import.meta.dirname, '../../node_modules/node/bin/node');

describe('an ELF program', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a text', Buffer.from('#!/bin/sh\n'.repeat(20))],
    ['a 32-bit program', Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1]), Buffer.alloc(90)])],
    ['a program cut off after its header', readFileSync(NODE).subarray(0, 4096)],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => readElf(bytes)).toThrow(expect.objectContaining({ code: 'not-an-elf' }) as Error);
  });

  it('tells what the pinned Node needs, and install.sh asks for just that', () => {
    const { machine, needs } = readElf(readFileSync(NODE));
    expect(machine).toBe(process.arch);
    expect(readFileSync(INSTALLER, 'utf8')).toContain(`\nOLDEST_GLIBC=${needs.get('GLIBC')}\n`);
    expect([...needs.keys()]).toEqual(expect.arrayContaining(['GLIBC', 'GLIBCXX', 'CXXABI']));
  });
});
