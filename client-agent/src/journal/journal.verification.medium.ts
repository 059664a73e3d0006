import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setDigest, signStatement } from '@coferment/consortium';
import { bytesToHex, loadCrypto } from '@coferment/crypto';
import { signCheckpoint } from '@coferment/ledger';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../rounds/members.fixture.js';
import { inTraining } from '../rounds/opened.consortia.fixture.js';
import { closeRun } from '../rounds/publication.handlers.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { type JournalReport, verifyJournal } from './journal.verification.js';
import { hashOf, lineOf, parseLine } from './record.entry.js';
import { recordedTables } from './record.tables.js';

const D = (digit: string) => digit.repeat(64);
/** More with SOVEREIGNTY_FULL=1: each is a whole verification. */
const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const FLIPS = FULL ? 4000 : 80;

let site: { site: string; identityKey: string };
/** A journal with rows in every table, of a site that has taken part in a run to its end. */
let original: string;

beforeAll(async () => {
  await loadCrypto();
  const consortium = await inTraining();
  const { run } = consortium;
  const a = consortium.member('a');
  site = { site: 'a', identityKey: bytesToHex(a.identity.publicKey) };
  a.journal.record.append({ kind: 'joined', consortium: 'acme', ...site, operatorKey: bytesToHex(a.operatorKey) });
  await consortium.wholeSum(consortium.name('update', 5, 1));
  liveThrough(a, run);
  a.journal.evidence.dismiss(2, 'for a test, too', null);
  const closed = { consortium: 'acme', run, status: 'completed' as const, rounds: 1, model: 'none', contributions: [] };
  await closeRun(a, { run, closing: signStatement('run-closed', closed, consortium.operator) });
  a.journal.record.append({ kind: 'agent-stopped' });
  a.journal.emptyLog();
  original = join(temporaryFolder('journal-original'), 'journal.sqlite');
  copyFileSync(join(a.folder, 'journal.sqlite'), original);
  expect(verifyJournal(a.folder, site).report).toMatchObject({ verdict: 'holds', findings: [], notes: [] });
});

/** What a run in a quiet test does not do. */
function liveThrough({ journal }: Member, run: string): void {
  const { approvals, activity, ownActs } = journal;
  approvals.decidePlan(D('a'), 1, 'approved');
  approvals.planDecision(D('a'), 1, ['a', 'b']);
  approvals.decidePlan(D('b'), 1, 'rejected', ['a', 'b'], { by: 'policy', reason: 'rounds-a-month' });
  journal.runs.noteTraining(run, 1);
  for (const digit of ['1', '2', '2']) approvals.approveRoster(D(digit));
  approvals.useRoster(D('2'));
  approvals.showRoster({ run, epoch: 9, roster: D('3'), fingerprint: D('4') });
  const sets = { before: ['a', 'b', 'c'], after: ['a', 'b'] };
  const model = { consortium: 'acme', kind: 'update' as const, modelIn: D('a') };
  journal.sets.bind(model, { set: setDigest(sets.before), sites: sets.before });
  journal.sets.bind(model, { set: setDigest(sets.after), sites: sets.after }, { ...sets, proposal: D('5') });
  journal.sets.recall(model, D('6'));
  for (const digit of ['5', '6', '7']) {
    const proposed = { proposal: D(digit), run, sum: 9, kind: 'update' as const, modelIn: D('a'), ...sets };
    journal.newSets.show({ ...proposed, approvers: ['a', 'b', 'c'], earlier: [['a']] });
  }
  journal.newSets.decide(D('5'), 'rejected', 'not with us');
  journal.newSets.decide(D('5'), 'approved', 'they asked again');
  journal.newSets.decide(D('6'), 'rejected', '');
  for (const name of ['poll', 'ciphertext', 'contribution']) {
    const { id } = activity.sending({ name, run, bytes: 100, digest: D('c') });
    activity.noteOutcome(id, 'unreachable');
    activity.noteOutcome(id, 'accepted');
  }
  activity.refuse(run, 'encrypt 5', 'sum-changed', 'Sum 5 is frozen.');
  activity.refuse(run, 'encrypt 6', 'sum-changed', 'A lone \ud800 surrogate.', { rule: 'r', reason: 'x' });
  for (const { id } of activity.untoldRefusals()) activity.noteRefusalTold(id);
  activity.wait(run, 'plan 1', 'A plan waits.', 'Approve it.');
  activity.wait(run, 'plan 2', 'Another plan waits.', 'Approve it.');
  activity.stopWaiting(run, 'plan 2');
  activity.connection('disconnected', 'the line is cut');
  activity.connection('connected', '');
  activity.see(run, { state: 'running' });
  ownActs.moveTo({ entries: 3, lastEntry: D('d'), subtrees: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] });
  journal.roll.add({ entry: 1, name: 'charter', statement: '{"a":1}' });
  journal.roll.clear();
  journal.roll.add({ entry: 1, name: 'charter', statement: '{"a":2}' });
  journal.roll.add({ entry: 2, name: 'site-enrolled', statement: '{"a":3}' });
  const root = new Uint8Array(32).fill(7);
  for (const size of [11n, 12n, 13n])
    journal.cosigned.replace(signCheckpoint({ origin: 'log.example/acme', size, root }, Buffer.alloc(32, 1)), Number(size));
  journal.evidence.keep('checkpoint', 'two lists', '{"first":1}');
  journal.evidence.keep('comparison', 'two lists again', '{"first":2}');
  journal.evidence.dismiss(1, 'for a test', null);
  ownActs.noteForgotten({ digest: D('e'), run, name: 'share', epoch: 1, e: null, kind: 'update', sum: 5 });
  ownActs.killEpoch({ run, epoch: 9, reason: 'for a test' });
  ownActs.noteTold(run, 9);
}

/** The verdict over a journal that an attacker has changed: one who takes the triggers away, and puts them back. */
function after(attack: (raw: DatabaseSync) => void): JournalReport {
  const folder = temporaryFolder('journal-attacked');
  const path = join(folder, 'journal.sqlite');
  copyFileSync(original, path);
  const raw = new DatabaseSync(path);
  const triggers = raw.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
  raw.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; BEGIN');
  for (const { name } of triggers) raw.exec(`DROP TRIGGER ${String(name)}`);
  attack(raw);
  for (const { sql } of triggers) raw.exec(String(sql));
  raw.exec('COMMIT');
  raw.close();
  const { report } = verifyJournal(folder, site);
  rmSync(folder, { recursive: true });
  return report;
}

function rowsOf(raw: DatabaseSync, table: string): Record<string, unknown>[] {
  return raw.prepare(`SELECT rowid AS at, * FROM ${table} ORDER BY rowid`).all();
}

/** Another value of the same kind. */
function changed(value: unknown): string | number | Uint8Array {
  if (value === null) return 'x';
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return value === '' ? 'x' : value.slice(0, -1) + (value.endsWith('a') ? 'b' : 'a');
  const bytes = Uint8Array.from(value as Uint8Array);
  bytes[bytes.length >> 1]! ^= 1;
  return bytes;
}

const checkedTables = [...recordedTables, 'views', 'cosigned'];

describe('a journal that nobody has changed', () => {
  it('has a row in every table that is compared, and every table is', () => {
    const raw = new DatabaseSync(original, { readOnly: true });
    const tables = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    const filled = tables.map(({ name }) => String(name)).filter((table) => rowsOf(raw, table).length > 0);
    raw.close();
    // A new table of the journal needs entries of the record, or a reason here.
    expect(filled.toSorted()).toEqual([...checkedTables, 'record', 'record_heads'].toSorted());
    expect(tables).toHaveLength(filled.length);
  });

  it('cannot be changed by its own program', () => {
    const raw = new DatabaseSync(original);
    for (const table of ['record', 'record_heads']) {
      expect(() => raw.exec(`DELETE FROM ${table}`)).toThrow();
      expect(() => raw.exec(`UPDATE ${table} SET hash = ''`)).toThrow();
    }
    raw.close();
  });
});

describe('journal verify', () => {
  it.each(checkedTables)('finds any changed value in %s, and names row and column', (table) => {
    const raw = new DatabaseSync(original, { readOnly: true });
    const rows = rowsOf(raw, table);
    raw.close();
    // Rows of one table are compared alike.
    for (const row of FULL ? rows : rows.slice(-1)) {
      for (const [column, value] of Object.entries(row)) {
        if (column === 'at' || (column === 'id' && rows.length === 1)) continue;
        let refused = false;
        const report = after((attacked) => {
          try {
            attacked.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(changed(value), row['at'] as number);
          } catch {
            // STRICT and NOT NULL are kept by SQLite itself.
            refused = true;
          }
        });
        if (refused) continue;
        expect(report.verdict, `${table}.${column}`).toBe('does-not-hold');
        const found = report.findings.map(({ where, problem }) => `${where}: ${problem}`).join('\n');
        expect(found, `${table}.${column}`).toMatch(new RegExp(`${table}.*(column ${column}|record knows nothing|checksum|act)`));
      }
    }
  });

  it.each(checkedTables)('finds a row of %s that was taken out, put in, or swapped with another', (table) => {
    if (table !== 'views') {
      expect(after((raw) => raw.exec(`DELETE FROM ${table} WHERE rowid = (SELECT MIN(rowid) FROM ${table})`)).verdict).toBe(
        'does-not-hold',
      );
      const put = after((raw) => {
        const [row] = rowsOf(raw, table);
        const { at: _, ...values } = row!;
        const names = Object.keys(values);
        const other = Object.fromEntries(
          names.map((name) => [name, name === 'id' && typeof values[name] === 'number' ? 99 : values[name]]),
        );
        const [key] = names;
        if (other[key!] === values[key!]) other[key!] = changed(values[key!]);
        if (table === 'statements') other['digest'] = D('f');
        if (table === 'runs') other['ordinal'] = 77;
        try {
          raw
            .prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`)
            .run(...(Object.values(other) as never[]));
        } catch {
          raw.exec(`DELETE FROM ${table}`);
        }
      });
      expect(put.verdict).toBe('does-not-hold');
    }
    const swapped = after((raw) => {
      const rows = rowsOf(raw, table);
      const names = Object.keys(rows[0]!).filter((name) => !['at', 'id', 'run', 'digest'].includes(name));
      const [one, two] = rows;
      const differing =
        two === undefined ? undefined : names.find((name) => one![name] !== two[name] && !(one![name] instanceof Uint8Array));
      if (differing === undefined) {
        raw.exec(table === 'views' ? "UPDATE views SET view = '{}'" : `DELETE FROM ${table}`);
        return;
      }
      try {
        for (const [to, from] of [
          [one!, two!],
          [two!, one!],
        ] as const)
          raw.prepare(`UPDATE ${table} SET ${differing} = ? WHERE rowid = ?`).run(from[differing] as never, to['at'] as number);
      } catch {
        raw.exec(`DELETE FROM ${table}`);
      }
    });
    expect(swapped.verdict).toBe('does-not-hold');
  });

  it('finds lines of the record that were taken out, put in, swapped or doubled, and a tail that was cut off', () => {
    const last = (raw: DatabaseSync) => Number(raw.prepare('SELECT MAX(seq) AS seq FROM record').get()!['seq']);
    const attacks: Record<string, (raw: DatabaseSync) => void> = {
      'the last line': (raw) => raw.exec('DELETE FROM record WHERE seq = (SELECT MAX(seq) FROM record)'),
      'the last ten lines': (raw) => raw.exec(`DELETE FROM record WHERE seq > ${last(raw) - 10}`),
      'a line in the middle': (raw) => raw.exec('DELETE FROM record WHERE seq = 20'),
      'a line in the middle, and those after it moved up': (raw) =>
        raw.exec(
          'DELETE FROM record WHERE seq = 20; UPDATE record SET seq = -seq + 1 WHERE seq > 20; UPDATE record SET seq = -seq WHERE seq < 0',
        ),
      'two lines swapped': (raw) =>
        raw.exec(
          'UPDATE record SET seq = -20 WHERE seq = 20; UPDATE record SET seq = 20 WHERE seq = 21; UPDATE record SET seq = 21 WHERE seq = -20',
        ),
      'a line doubled at the end': (raw) =>
        raw.exec(
          'INSERT INTO record SELECT MAX(seq) + 1, (SELECT line FROM record WHERE seq = 20), (SELECT hash FROM record WHERE seq = 20) FROM record',
        ),
      'all lines': (raw) => raw.exec('DELETE FROM record'),
      'the last head': (raw) => raw.exec('DELETE FROM record_heads WHERE head = (SELECT MAX(head) FROM record_heads)'),
      'the first head': (raw) => raw.exec('DELETE FROM record_heads WHERE head = 1'),
      'all heads': (raw) => raw.exec('DELETE FROM record_heads'),
      'a head doubled': (raw) =>
        raw.exec('INSERT INTO record_heads SELECT MAX(head) + 1, seq, hash, signed_ms, signature FROM record_heads'),
    };
    for (const column of ['head', 'seq', 'hash', 'signed_ms', 'signature'])
      attacks[`a head's ${column}`] = (raw) => {
        const row = raw.prepare('SELECT * FROM record_heads ORDER BY head DESC LIMIT 1').get()!;
        raw.prepare(`UPDATE record_heads SET ${column} = ? WHERE head = ?`).run(changed(row[column]) as never, Number(row['head']));
      };
    for (const [what, attack] of Object.entries(attacks)) expect(after(attack).verdict, what).toBe('does-not-hold');
  });

  it.each([
    ['without any head', 0],
    ['from the second head on without any', 1],
  ])('finds a record that was written anew %s, by somebody who knows how and has no key', (_what, kept) => {
    const report = after((raw) => {
      const heads = raw.prepare('SELECT head, seq FROM record_heads ORDER BY head').all();
      const last = kept === 0 ? 0 : Number(heads[kept - 1]!['seq']) + 1;
      const lines = raw.prepare('SELECT line, hash FROM record ORDER BY seq').all();
      raw.exec(`DELETE FROM record_heads WHERE head > ${kept}; DELETE FROM record WHERE seq > ${last}`);
      let [seq, previous] = [last, last === 0 ? '0'.repeat(64) : String(lines[last - 1]!['hash'])];
      for (const { line } of lines.slice(last)) {
        const { schema: _, seq: __, time, previous: ___, ...fact } = parseLine(String(line));
        if (fact.kind === 'head-signed') continue;
        seq += 1;
        const rewritten = lineOf(fact, { seq, time, previous });
        previous = hashOf(previous, rewritten);
        raw.prepare('INSERT INTO record VALUES (?, ?, ?)').run(seq, rewritten, previous);
      }
    });
    expect(report.verdict).toBe('does-not-hold');
    expect(report.findings).toMatchObject([{ problem: expect.stringMatching(/written anew/) }]);
  });

  it('finds a table, a trigger or a version that was changed', () => {
    const path = join(temporaryFolder('journal-schema'), 'journal.sqlite');
    for (const change of [
      'DROP TRIGGER record_stays',
      'CREATE TABLE smuggled (value TEXT)',
      'ALTER TABLE sent ADD COLUMN more TEXT',
      'PRAGMA user_version = 99',
      'PRAGMA user_version = 3',
    ]) {
      copyFileSync(original, path);
      const raw = new DatabaseSync(path);
      raw.exec(change);
      raw.close();
      expect(verifyJournal(join(path, '..'), site).report.verdict, change).not.toBe('holds');
    }
  });

  it('does not hold for the key of another site', () => {
    const folder = join(original, '..');
    expect(verifyJournal(folder, { ...site, identityKey: D('0') }).report.verdict).toBe('does-not-hold');
    expect(verifyJournal(folder, { ...site, site: 'b' }).report.findings[0]?.problem).toMatch(/belongs to "b"/);
    expect(verifyJournal(join(folder, 'nowhere'), site).report.verdict).toBe('could-not-check');
  });

  it(`finds one changed byte anywhere in the file (${FLIPS} of them), or nothing in it means anything else`, () => {
    const bytes = readFileSync(original);
    const folder = temporaryFolder('journal-flipped');
    const path = join(folder, 'journal.sqlite');
    const content = contentOf(original);
    let passed = 0;
    let draw = 20_261_129;
    for (let flip = 0; flip < FLIPS; flip++) {
      // A linear congruential generator: a failure must come again.
      draw = (draw * 1_103_515_245 + 12_345) % 2 ** 31;
      const at = draw % bytes.length;
      const broken = Buffer.from(bytes);
      broken[at]! ^= 1 << (flip % 8);
      for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
      writeFileSync(path, broken);
      if (verifyJournal(folder, site).report.verdict !== 'holds') continue;
      passed += 1;
      expect(contentOf(path), `bit ${flip % 8} of byte ${at}`).toBe(content);
    }
    // Free pages and unused rests of pages hold nothing.
    expect(passed).toBeLessThan(FLIPS);
  }, 1_800_000);
});

function contentOf(path: string): string {
  const raw = new DatabaseSync(path, { readOnly: true });
  const tables = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const content = JSON.stringify(
    tables.map(({ name }) => [
      name,
      rowsOf(raw, String(name)).map((row) =>
        Object.entries(row).map(([key, value]) => [key, value instanceof Uint8Array ? bytesToHex(value) : value]),
      ),
    ]),
  );
  raw.close();
  return content;
}
