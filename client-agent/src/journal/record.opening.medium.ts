import { join } from 'node:path';
import { bytesToHex, generateIdentity, loadCrypto } from '@coferment/crypto';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { Journal } from './journal.js';
import { migrations } from './journal.schema.js';
import { verifyJournal } from './journal.verification.js';
import { readRecord } from './record.chain.js';

const RUN = 'r1-0123456789abcdef';
const D = (digit: string) => digit.repeat(64);
const identity = generateIdentity();
const site = { site: 'a', identityKey: bytesToHex(identity.publicKey) };

let folder: string;
const path = () => join(folder, 'journal.sqlite');

beforeAll(loadCrypto);
beforeEach(() => {
  folder = temporaryFolder('journal-old');
});

/** A journal as an agent of this version has left it, with rows in the tables that it had. */
function oldJournal(version: number): void {
  const raw = new DatabaseSync(path());
  raw.exec('PRAGMA journal_mode = WAL');
  for (const sql of migrations.slice(0, version)) raw.exec(sql);
  raw.exec(`PRAGMA user_version = ${version};
    INSERT INTO plan_approvals (plan, ordinal, sites, decision, decided_ms) VALUES ('${D('a')}', 1, '["a","b"]', 'approved', 5);
    INSERT INTO runs VALUES ('${RUN}', '${D('a')}', 1, '["a","b"]', 'asked', '', 6);
    INSERT INTO epochs (run, epoch, roster, fingerprint, e0, e, blocks) VALUES ('${RUN}', 1, '${D('b')}', '${D('c')}', '${D('d')}', NULL, 3);
    INSERT INTO sent (name, run, bytes, digest, sent_ms) VALUES ('ciphertext', '${RUN}', 100, '${D('e')}', 7), ('share', '${RUN}', 100, '${D('f')}', 8);
    INSERT INTO run_states (run, applied_sum, state, model) VALUES ('${RUN}', 4, '{"round":0}', x'0102030405060708');
    INSERT INTO views VALUES ('${RUN}', '{}', 9);`);
  raw.close();
}

describe('the journal of an older agent', () => {
  it.each(migrations.slice(0, 5).map((_, index) => index + 1))('of version %i gets a record that begins with what it holds', (version) => {
    oldJournal(version);
    expect(verifyJournal(folder, site).report).toMatchObject({
      verdict: 'could-not-check',
      notes: [expect.stringMatching(/from before the record/)],
    });
    const journal = Journal.open(path(), { identity });
    const { entries } = readRecord(journal.record.lines());
    const [opened] = entries as [Extract<(typeof entries)[0], { kind: 'opened' }>];
    const counted = Object.fromEntries(opened.tables.filter(({ rows }) => rows > 0).map(({ table, rows }) => [table, rows]));
    expect(counted).toEqual({ plan_approvals: 1, runs: 1, epochs: 1, sent: 2, run_states: 1 });
    expect(entries.filter(({ kind }) => kind === 'carried-over')).toHaveLength(6);
    // What is old goes on.
    journal.runs.setState(RUN, 'approved');
    journal.runs.agreeEpoch(RUN, 1, D('9'));
    journal.rounds.reserveEncryption(RUN, 1, 5, 1, 4);
    journal.activity.noteOutcome(2, 'late');
    journal.models.advance(RUN, 4, { appliedSum: 5, state: null });
    journal.close();
    expect(verifyJournal(folder, site).report).toMatchObject({ verdict: 'holds', findings: [] });
  });

  it('is checked in what it held before, too', () => {
    oldJournal(5);
    Journal.open(path()).close();
    for (const change of [
      "UPDATE sent SET bytes = 99 WHERE name = 'share'",
      "DELETE FROM sent WHERE name = 'share'",
      'UPDATE plan_approvals SET decided_ms = 4',
      "UPDATE run_states SET model = x'0103'",
    ]) {
      const raw = new DatabaseSync(path());
      raw.exec(`SAVEPOINT before; ${change}`);
      raw.exec('RELEASE before');
      expect(verifyJournal(folder, site).report.verdict, change).toBe('does-not-hold');
      raw.close();
      folder = temporaryFolder('journal-old');
      oldJournal(5);
      Journal.open(path()).close();
    }
  });
});

describe('heads', () => {
  it('are signed after so many entries, when runs change, and never without the keys', () => {
    const people = Journal.open(path());
    people.approvals.decidePlan(D('a'), 1, 'approved');
    people.runs.announce(RUN, D('a'), 1, ['a', 'b']);
    people.runs.setState(RUN, 'approved');
    expect(people.record.heads()).toEqual([]);
    expect(() => people.record.signHead()).toThrow(/keys of this site/);
    people.close();
    expect(verifyJournal(folder, site).report).toMatchObject({
      verdict: 'holds',
      notes: [expect.stringMatching(/no signed head covers yet: 4/)],
    });

    const agent = Journal.open(path(), { identity });
    agent.runs.setState(RUN, 'dead', 'for a test');
    expect(agent.record.heads().map(({ seq }) => seq)).toEqual([5]);
    for (let entry = 0; entry < 450; entry++) agent.activity.refuse(RUN, `subject ${entry}`, `code ${entry % 5}`, 'message');
    expect(agent.record.heads().map(({ seq }) => seq)).toEqual([5, 205, 405]);
    agent.record.signHead();
    agent.record.signHead();
    expect(agent.record.heads()).toHaveLength(4);
    agent.close();
    expect(verifyJournal(folder, site).report).toMatchObject({ verdict: 'holds', notes: [] });
  });
});

describe('entries of the membership', () => {
  it('are written when something has changed, and only then', () => {
    const journal = Journal.open(path(), { identity });
    const joined = { kind: 'joined' as const, consortium: 'acme', ...site, operatorKey: D('1') };
    expect([journal.record.note(joined), journal.record.note(joined)]).toEqual([true, false]);
    expect(journal.record.note({ kind: 'policy-changed', digest: D('2') })).toBe(true);
    expect(journal.record.note({ kind: 'policy-changed', digest: null })).toBe(true);
    expect(journal.record.note({ kind: 'policy-changed', digest: null })).toBe(false);
    journal.close();
  });
});
