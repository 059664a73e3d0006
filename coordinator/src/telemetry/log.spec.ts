import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { openLog } from './log.destination.js';
import { LogFile } from './log.file.js';
import { Log, type LogFields } from './log.js';

const SECRET = 'c2VjcmV0LXBheWxvYWQ';
let folder: string;
let nowMs: number;
let log: Log;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coordinator-log-'));
  nowMs = 1_000_000;
  log = new Log(openLog({}, file()), () => nowMs);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => new LogFile(join(folder, 'coordinator.log'));
const text = () => readFileSync(join(folder, 'coordinator.log'), 'utf8');
const lines = () =>
  text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a log line', () => {
  it('has only fields of the closed list, whatever an object carries besides', () => {
    const row = { run: 'r1', sum: 4, round: 2, site: 'alder', payload: SECRET, envelope: { payload: SECRET }, bytes: Buffer.from(SECRET) };
    log.info('opened', row);
    log.warn('opened', { ...row, method: { toString: () => SECRET } } as unknown as LogFields);
    log.error('opened', new Error('disk full'), row);
    expect(text()).not.toContain(SECRET);
    expect(text()).not.toContain(Buffer.from(SECRET).toString('hex'));
    for (const line of lines()) expect(line).toMatchObject({ run: 'r1', sum: 4, round: 2, site: 'alder', msg: 'opened' });
  });

  it('has nothing of an error but name, message, place and causes: not what a failed query was given, not what a parser read', () => {
    const driver = Object.assign(new Error('duplicate key value'), { detail: `Key (payload)=(${SECRET}) already exists.` });
    const failed = new QueryFailedError(`INSERT INTO act VALUES ('${SECRET}')`, [SECRET, Buffer.from(SECRET)], driver);
    log.error('a query failed', new Error('the step failed', { cause: failed }));
    let parsing: unknown;
    try {
      JSON.parse(`${SECRET}{`);
    } catch (error) {
      parsing = error;
    }
    expect(String(parsing)).toContain(SECRET.slice(0, 8));
    log.error('an answer was malformed', parsing);
    expect(text()).not.toContain(SECRET);
    expect(text()).not.toContain(SECRET.slice(0, 8));
    expect(lines()[0]).toMatchObject({
      err: { message: 'the step failed', cause: { type: 'QueryFailedError', message: 'duplicate key value' } },
    });
    expect((lines()[1]!['err'] as { stack: string }).stack).toContain('log.spec');
  });

  it('is bounded, whatever is in the texts', () => {
    const long = 'x'.repeat(1_000_000);
    log.error(long, Object.assign(new Error(long), { stack: `    at ${long}` }), { site: long });
    expect(text().length).toBeLessThan(8000);
  });
});

describe('the log of a coordinator that stands still or is pestered', () => {
  it('says a fault that comes twice a second once a minute, with how often it came', () => {
    for (let second = 0; second < 130; second += 0.5, nowMs += 500) log.error('a step of a run failed', new Error('no'), { run: 'r1' });
    expect(lines().map(({ times }) => times)).toEqual([undefined, 120, 120]);
  });

  it('says the same of another run, another site and another fault at once', () => {
    for (const run of ['r1', 'r2', 'r1']) log.error('failed', new Error('no'), { run });
    log.error('failed', new Error('other'), { run: 'r1' });
    for (const site of ['alder', 'birch', 'alder']) log.infoOnce('a call was refused', { site, code: 'forbidden', durationMs: nowMs++ });
    expect(lines()).toHaveLength(5);
  });

  it('says it again when the clock was set back', () => {
    log.warn('slow');
    nowMs -= 10_000;
    log.warn('slow');
    expect(lines()).toHaveLength(2);
  });

  it('keeps writing at the front of a file that was emptied in place', () => {
    log.info('before');
    truncateSync(join(folder, 'coordinator.log'));
    log.info('after');
    expect(lines()).toMatchObject([{ msg: 'after' }]);
  });

  it('says nothing below its level', () => {
    log.debug('a call has ended');
    expect(text()).toBe('');
    new Log(openLog({ logLevel: 'debug' }, file())).debug('a call has ended');
    expect(lines()).toMatchObject([{ msg: 'a call has ended' }]);
  });
});
