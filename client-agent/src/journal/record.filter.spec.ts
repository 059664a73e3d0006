import { describe, expect, it } from 'vitest';
import type { RecordEntry } from './record.entry.js';
import { isSince, parseSince, RunFilter } from './record.filter.js';
import { everyFact } from './record.fixture.js';
import { describeEntry } from './record.text.js';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const entries = everyFact('a'.repeat(64)).map((fact, index): RecordEntry => ({
  schema: 1,
  seq: index + 1,
  time: NOW - 86_400_000 + index,
  previous: '0'.repeat(64),
  ...fact,
}));

describe('since', () => {
  it.each([
    ['17', { seq: 17 }],
    ['7 d', { time: NOW - 7 * 86_400_000 }],
    ['2 h', { time: NOW - 7_200_000 }],
    ['2026-11-01', { time: Date.parse('2026-11-01') }],
    ['2026-11-01T10:00:00Z', { time: Date.parse('2026-11-01T10:00:00Z') }],
  ])('reads %s', (text, since) => expect(parseSince(text, NOW)).toEqual(since));

  it.each(['', 'yesterday', '2026-13-01', '-1', '7 weeks'])('refuses "%s"', (text) => expect(parseSince(text, NOW)).toBeUndefined());

  it('takes entries from a number or a time on', () => {
    expect(entries.filter((entry) => isSince(entry, { seq: 40 }))).toEqual(entries.slice(39));
    expect(entries.filter((entry) => isSince(entry, { time: NOW }))).toEqual([]);
    expect(entries.filter((entry) => isSince(entry, { time: 0 }))).toHaveLength(entries.length);
  });
});

describe('the entries of a run', () => {
  it('are those that name it, and what was decided, answered and trained for it before and after', () => {
    const filter = new RunFilter('r1-0123456789abcdef', entries);
    const picked = entries.filter((entry) => filter.picks(entry)).map(({ kind }) => kind);
    for (const kind of [
      'plan-approved',
      'approval-bound',
      'roster-approved',
      'roster-used',
      'answered',
      'trained',
      'vectors-erased',
      'carried-over',
      'step',
    ])
      expect(picked).toContain(kind);
    for (const kind of ['joined', 'plan-rejected', 'refusal-told', 'agent-started', 'ledger-read', 'head-signed'])
      expect(picked).not.toContain(kind);
    expect(entries.filter((entry) => new RunFilter('r2-0123456789abcdef', entries).picks(entry))).toEqual([]);
  });
});

describe('an entry in plain words', () => {
  it('is one line of its own for every kind', () => {
    const sent = new Map<number, string>();
    const lines = entries.map((entry) => describeEntry(entry, sent));
    for (const line of lines) expect(line).toMatch(/^ +\d+ {2}2026-11-28T12:00:00\.\d{3}Z {2}\S.+$/);
    expect(new Set(lines.map((line) => line.slice(34))).size).toBe(entries.length);
    expect(lines.find((line) => line.includes('accepted'))).toMatch(/ciphertext \(item 1\): accepted/);
    expect(lines.find((line) => line.includes('rejected'))).toMatch(/by the policy of this site .*: rounds-a-month$/);
  });
});
