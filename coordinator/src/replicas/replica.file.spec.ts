import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepReplica, replicaOf, requireSharing } from './replica.file.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'replica-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the name of a data folder', () => {
  it.each(['', '{}', '{"schema":"coferment-replica/1","id":"../x","copied":true}', '{"schema":"coferment-replica/2"}', '[]'])(
    'is not read from a damaged file: %s',
    (text) => {
      writeFileSync(join(folder, 'replica.json'), text);
      expect(() => replicaOf(folder)).toThrow(expect.objectContaining({ code: 'folder-unusable' }));
    },
  );

  it('is drawn once', () => {
    const first = replicaOf(folder);
    expect(first.copied).toBe(false);
    expect(replicaOf(folder)).toEqual({ schema: 'coferment-replica/1', ...first });
  });

  it('of a copy goes with a server and a shared folder only; a first folder needs neither', () => {
    const copy = keepReplica(folder, { copied: true });
    const whole = { databaseUrl: 'postgres://db.example/coferment', objects: '/shared' };
    expect(() => requireSharing(folder, copy, whole)).not.toThrow();
    expect(() => requireSharing(folder, copy, { objects: '/shared' })).toThrow('DATABASE_URL');
    expect(() => requireSharing(folder, copy, { databaseUrl: whole.databaseUrl })).toThrow('--objects');
    expect(() => requireSharing(folder, { ...copy, copied: false }, {})).not.toThrow();
  });
});
