import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile } from './log.file.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'log-file-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A disk with room for so many bytes. */
function diskOf(room: number) {
  const disk = {
    room,
    write: (descriptor: number, bytes: Buffer): number => {
      if (disk.room === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      const written = writeSync(descriptor, bytes.subarray(0, disk.room));
      disk.room -= written;
      return written;
    },
  };
  return disk;
}

describe('a log on a disk that is full', () => {
  it('loses lines and says so on a line of its own when there is room again', () => {
    const disk = diskOf(10);
    const path = join(folder, 'x.log');
    const file = new LogFile(path, disk.write);
    file.write('first\n');
    expect(file.fault).toBeUndefined();
    for (let line = 0; line < 3; line++) file.write('never whole\n');
    expect(file.fault).toBe('ENOSPC');
    disk.room = 1000;
    file.write('last\n');
    expect(file.fault).toBeUndefined();
    const lines = readFileSync(path, 'utf8').split('\n');
    expect([lines[0], lines[1], lines[3]]).toEqual(['first', 'neve', 'last']);
    expect(JSON.parse(lines[2]!)).toMatchObject({ msg: '3 lines of the log could not be written', code: 'ENOSPC' });
  });
});
