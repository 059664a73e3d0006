import { join } from 'node:path';
import { signStatement } from '@coferment/consortium';
import { bytesToHex, generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { Journal } from './journal.js';
import { migrations, RECORD_VERSION } from './journal.schema.js';
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

/** What a column of an old journal can hold, where its name alone does not say it. */
const VALUES: Record<string, string | number> = {
  'plan_approvals.decision': 'approved',
  'plan_approvals.decided_by': 'person',
  'runs.state': 'approved',
  'connection.state': 'connected',
  'run_states.state': '{"round":0}',
  plan: D('a'),
  ordinal: 1,
  run: RUN,
  sites: '["a","b"]',
  blocks: '[1]',
  kind: 'update',
  model_in: 'none',
  view: '{}',
};

/** A row in every table that a journal of this version has. Returns their names. */
function fill(raw: DatabaseSync): string[] {
  const envelope = signStatement('plan-approved', { consortium: 'acme', site: 'a', plan: D('a'), ordinal: 1, sites: ['a', 'b'] }, identity);
  const signed: Record<string, string> = {
    name: 'plan-approved',
    subject: '',
    digest: sha256Hex(Buffer.from(envelope.payload, 'base64')),
    envelope: JSON.stringify(envelope),
  };
  const valueOf = (table: string, { name, type }: { name: string; type: string }) => {
    if (table === 'statements' && signed[name] !== undefined) return signed[name];
    const value = VALUES[`${table}.${name}`] ?? VALUES[name];
    if (type === 'BLOB') return Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    if (type === 'INTEGER') return typeof value === 'number' ? value : 1;
    return value ?? D('e');
  };
  const tables = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  return tables.map(({ name }) => {
    const table = String(name);
    const columns = raw.prepare(`SELECT name, type FROM pragma_table_info('${table}')`).all() as unknown as {
      name: string;
      type: string;
    }[];
    const names = columns.map((column) => column.name);
    raw
      .prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`)
      .run(...columns.map((column) => valueOf(table, column)));
    return table;
  });
}

describe('a journal with a row in every table', () => {
  const released = migrations.slice(0, RECORD_VERSION - 1).map((_, index) => index + 1);
  it('is tried in every version from before the record', () => expect(released).toEqual([1, 2, 3, 4, 5, 6, 7]));

  it.each(released)('of version %i is taken over whole, into tables and record', (version) => {
    const raw = new DatabaseSync(path());
    for (const sql of migrations.slice(0, version)) raw.exec(sql);
    const filled = fill(raw).filter((table) => table !== 'views');
    raw.exec(`PRAGMA user_version = ${version}`);
    raw.close();
    const journal = Journal.open(path(), { identity });
    const carried = readRecord(journal.record.lines()).entries.flatMap((entry) => (entry.kind === 'carried-over' ? [entry.table] : []));
    // In version 1 vectors lay in the clear; of them their place is left.
    expect(carried.toSorted()).toEqual(filled.map((table) => (table === 'vectors' ? 'sealed_vectors' : table)).toSorted());
    expect(journal.approvals.latestDecision(D('a'), 1)).toMatchObject({ decision: 'approved', decidedBy: 'person' });
    expect(journal.approvals.lastRoster()).toBe(D('e'));
    expect(journal.runs.all()).toMatchObject([{ run: RUN, state: 'approved', sites: ['a', 'b'] }]);
    expect(journal.rounds.countedSites(D('e'), 'update', 'none')).toEqual(['a', 'b']);
    expect(journal.activity.untoldRefusals()).toEqual([]);
    expect(journal.activity.refusals(9)).toHaveLength(1);
    // And it goes on.
    journal.record.append({ kind: 'agent-started', software: 'a test' });
    journal.approvals.decidePlan(D('a'), 1, 'withdrawn', ['a', 'b'], { reason: 'a new owner' });
    journal.approvals.showRoster({ run: RUN, epoch: 1, roster: D('b'), fingerprint: D('c') });
    journal.activity.stopWaiting(RUN, D('e'));
    journal.ownActs.noteTold(RUN, 1);
    journal.emptyLog();
    journal.close();
    expect(verifyJournal(folder, site).report).toMatchObject({ verdict: 'holds', findings: [] });
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
