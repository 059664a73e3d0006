import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import { SiteStorage, type StorageEvent } from './site.storage.js';
import { storageFaultOf } from './storage.fault.js';

const errno = (code: string, cause?: unknown) => Object.assign(new Error(code, { cause }), { code });

describe('a fault of the disk at a site', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'])('is known by %s, also as the cause of another error', (code) => {
    expect(storageFaultOf(errno(code))).toBe(code);
    expect(storageFaultOf(new Error('a step failed', { cause: errno(code) }))).toBe(code);
  });

  it('is known by what SQLite says of a database that has no room left', () => {
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE t (x); PRAGMA max_page_count = 2');
    const fill = () => database.prepare('INSERT INTO t VALUES (zeroblob(100000))').run();
    let thrown: unknown;
    try {
      fill();
    } catch (error) {
      thrown = error;
    }
    expect(storageFaultOf(thrown)).toBe('ENOSPC');
    database.close();
  });

  it.each([
    new AgentError('not-approved', 'no'),
    errno('ECONNREFUSED'),
    errno('ERR_SQLITE_ERROR'),
    new TypeError('a bug'),
    'no error at all',
    undefined,
  ])('is nothing else: %s', (error) => expect(storageFaultOf(error)).toBeUndefined());

  it('is told once when it begins', () => {
    const told: StorageEvent[] = [];
    const storage = new SiteStorage('/nowhere', (event) => told.push(event));
    for (let step = 0; step < 50; step++) expect(storage.met(errno('ENOSPC'))).toBe(true);
    expect(storage.met(new AgentError('not-approved', 'no'))).toBe(false);
    expect(told).toMatchObject([
      { event: 'storage-failed', code: 'ENOSPC', message: expect.stringMatching(/no room.*Make room/) as string },
    ]);
  });
});
