import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWitnessKey } from './witness.key.js';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'witness-key-'))));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the key of a witness', () => {
  it('is made once, for its owner only, and is the same ever after', () => {
    const file = join(folder, 'key');
    expect(() => openWitnessKey(file, undefined)).toThrow('--name');
    const made = openWitnessKey(file, 'witness.example/w1');
    expect(made.seed).toHaveLength(32);
    expect(openWitnessKey(file, undefined)).toEqual(made);
    expect(openWitnessKey(file, 'witness.example/w1')).toEqual(made);
    expect(() => openWitnessKey(file, 'witness.example/w2')).toThrow('keeps its name');
    expect(readFileSync(file, 'utf8')).toMatch(/^PRIVATE\+KEY\+witness\.example\/w1\+[0-9a-f]{8}\+\S+\n$/);
    if (process.platform === 'win32') return;
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o640);
    expect(() => openWitnessKey(file, undefined)).toThrow('others may read');
  });

  it.each([
    ['nothing', () => ''],
    ['half of it', (text: string) => text.slice(0, 60)],
    ['a key for logs', (text: string) => text.replace(/\+B/, '+A')],
    ['another name', (text: string) => text.replace('w1', 'w2')],
  ])('is refused with %s in its file', (_, change) => {
    const file = join(folder, `key-${change.toString().length}`);
    openWitnessKey(file, 'witness.example/w1');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, change(text), { mode: 0o600 });
    expect(() => openWitnessKey(file, undefined)).toThrow('backup');
  });

  it('has a name that can stand in a note', () => {
    expect(() => openWitnessKey(join(folder, 'none'), 'two words')).toThrow('cannot be a key name');
  });
});
