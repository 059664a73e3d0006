import { join } from 'node:path';
import { type DsseEnvelope, hexToBytes, sha256Hex, verifyEnvelope } from '@coferment/crypto';
import { parseEnvelope, parseStatement } from '@coferment/consortium';
import { describeFailure } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { viewChecksum } from './activity.repository.js';
import { checkCosigned } from './cosigned.check.js';
import { JournalDatabase } from './journal.database.js';
import { migrations, RECORD_VERSION } from './journal.schema.js';
import { checkHeads, type Finding, readRecord } from './record.chain.js';
import type { RecordEntry, RecordLine } from './record.entry.js';
import type { RecordHead } from './record.head.js';
import { apply, checkOpening, TableImage } from './record.replay.js';
import { toHead } from './record.repository.js';
import { checkSigning } from './record.signing.js';
import { type CellRow, cellsOf, keyOf, RECORDED_TABLES, type RecordedTable, recordedTables } from './record.tables.js';

export type Verdict = 'holds' | 'does-not-hold' | 'could-not-check';

export interface JournalReport {
  verdict: Verdict;
  /** What was compared, in plain words. */
  checked: string[];
  /** What does not hold. */
  findings: Finding[];
  /** What is no fault and good to know. */
  notes: string[];
  entries: number;
  /** Hash of the last entry. */
  head: string;
  /** Entries that a signed head covers. */
  signedUpTo: number;
}

/** The journal of a site as its record lets it be checked; nothing in it is changed, and an agent may write into it meanwhile. */
export interface CheckedJournal {
  report: JournalReport;
  entries: RecordEntry[];
  lines: RecordLine[];
}

/**
 * Recomputes the record and compares every other table with it. It believes nothing in the file but what follows from signatures of the site: whoever can write
 * the file could write a whole other one, and only a signed head, the ledger or a copy elsewhere speaks against that.
 * @param folder data folder of the site
 * @param site its name and identity key; undefined when it has not joined
 */
export function verifyJournal(folder: string, site: { site: string; identityKey: string } | undefined): CheckedJournal {
  let database: JournalDatabase;
  try {
    database = JournalDatabase.inspect(join(folder, 'journal.sqlite'));
  } catch (error) {
    const { code, message } = describeFailure(error);
    if (code === 'missing-file') return { report: unchecked(message), entries: [], lines: [] };
    return broken(message);
  }
  try {
    const old = tooOld(database);
    return old === undefined ? verifyOpened(database, folder, site) : { report: unchecked(old), entries: [], lines: [] };
  } catch (error) {
    return broken(`SQLite cannot read it: ${describeFailure(error).message}`);
  } finally {
    database.close();
  }
}

function tooOld(database: JournalDatabase): string | undefined {
  const version = Number(database.get('PRAGMA user_version')?.['user_version']);
  const hasRecord = database.get("SELECT 1 FROM sqlite_schema WHERE name = 'record'") !== undefined;
  if (version < RECORD_VERSION && !hasRecord)
    return `This journal is of version ${version}, from before the record. Start this agent once; what stands in the journal then is taken over.`;
  if (version > migrations.length)
    return `This journal is of version ${version}; this agent knows versions up to ${migrations.length}. Check it with the newer agent.`;
  return undefined;
}

function verifyOpened(database: JournalDatabase, folder: string, site: { site: string; identityKey: string } | undefined): CheckedJournal {
  const findings: Finding[] = [...checkFile(database), ...checkSchema(database)];
  const lines = readLines(database);
  const { entries, findings: chain } = readRecord(lines);
  findings.push(...chain);
  const whole = chain.length === 0;
  const identityKey = site === undefined ? undefined : hexToBytes(site.identityKey);
  const heads = database.all('SELECT * FROM record_heads ORDER BY head').map(toHead);
  if (whole)
    findings.push(
      ...checkHeads(
        heads,
        entries,
        lines.map(({ hash }) => hash),
        identityKey,
      ),
      ...checkSigning(entries),
      ...checkOpening(entries),
      ...checkTables(database, entries),
      ...checkCosigned(database, entries),
    );
  findings.push(...checkViews(database));
  if (site !== undefined) findings.push(...checkJoined(entries, site), ...checkStatements(database, site));
  const objects = checkObjects(folder, database, entries);
  findings.push(...objects.findings);
  return {
    report: {
      verdict: findings.length === 0 ? 'holds' : 'does-not-hold',
      checked: whole ? checkedText(entries, heads, objects.read) : [],
      findings,
      notes: [...tailNotes(entries, heads), ...objects.notes],
      entries: entries.length,
      head: lines.at(-1)?.hash ?? '',
      signedUpTo: heads.at(-1)?.seq ?? 0,
    },
    entries,
    lines,
  };
}

/** Lines as bytes first: a text that is no UTF-8 would be read as if it were another one. */
function readLines(database: JournalDatabase): RecordLine[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return database.all('SELECT seq, CAST(line AS BLOB) AS line, CAST(hash AS BLOB) AS hash FROM record ORDER BY seq').map((row) => {
    const read = (column: string) => {
      try {
        return decoder.decode(row[column] as Uint8Array);
      } catch {
        return '';
      }
    };
    return { seq: Number(row['seq']), line: read('line'), hash: read('hash') };
  });
}

function checkFile(database: JournalDatabase): Finding[] {
  const results = database.all('PRAGMA integrity_check').map((row) => String(row['integrity_check']));
  return results[0] === 'ok'
    ? []
    : results.slice(0, 5).map((problem) => ({ where: 'the file journal.sqlite', problem: `SQLite finds: ${problem}` }));
}

/** The tables, and the triggers that keep the record as it is, are those that this agent makes. */
function checkSchema(database: JournalDatabase): Finding[] {
  const schemaOf = (opened: JournalDatabase) =>
    new Map(opened.all('SELECT name, sql FROM sqlite_schema').map((row) => [String(row['name']), String(row['sql'])]));
  const found = schemaOf(database);
  const version = Number(database.get('PRAGMA user_version')?.['user_version']);
  const expected = JournalDatabase.ofThisAgent(schemaOf);
  const findings = [...new Set([...expected.keys(), ...found.keys()])].flatMap((name) => {
    if (expected.get(name) === found.get(name)) return [];
    const problem = found.has(name) ? (expected.has(name) ? 'it was changed' : 'this agent makes none of this name') : 'it is missing';
    return [{ where: `the table, index or trigger "${name}"`, problem }];
  });
  if (version !== migrations.length)
    findings.push({
      where: 'the version of the journal',
      problem: `it is ${version}; a journal with these tables has ${migrations.length}`,
    });
  return findings;
}

function checkTables(database: JournalDatabase, entries: readonly RecordEntry[]): Finding[] {
  const image = new TableImage();
  for (const entry of entries) apply(image, entry);
  return recordedTables.flatMap((table) => checkTable(database, table, image.rows(table)));
}

function checkTable(database: JournalDatabase, table: RecordedTable, expected: ReadonlyMap<string, CellRow>): Finding[] {
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const row of database.all(`SELECT * FROM ${table}`)) {
    const cells = cellsOf(table, row);
    const key = keyOf(table, cells);
    const where = nameOf(table, cells);
    seen.add(key);
    const recorded = expected.get(key);
    if (recorded === undefined) {
      findings.push({ where, problem: 'the record knows nothing of it: it was put in, or what names it was changed' });
      continue;
    }
    for (const column of new Set([...Object.keys(cells), ...Object.keys(recorded)])) {
      if (recorded[column] === cells[column]) continue;
      findings.push({
        where: `${where}, column ${column}`,
        problem: `it is ${shown(cells[column])}; by the record it is ${shown(recorded[column])}`,
      });
    }
  }
  for (const [key, row] of expected)
    if (!seen.has(key)) findings.push({ where: nameOf(table, row), problem: 'it is missing; the record has it' });
  return findings;
}

function nameOf(table: RecordedTable, row: CellRow): string {
  const key = RECORDED_TABLES[table].map((column) => `${column} ${shown(row[column])}`).join(', ');
  return `the row of ${table} with ${key}`;
}

function shown(value: CellRow[string] | undefined): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function checkViews(database: JournalDatabase): Finding[] {
  return database.all('SELECT * FROM views').flatMap((row) => {
    const run = String(row['run']);
    const expected = viewChecksum(run, String(row['view']), Number(row['seen_ms']));
    return row['checksum'] === expected
      ? []
      : [{ where: `the row of views with run ${shown(run)}`, problem: 'it does not have its checksum: it is damaged' }];
  });
}

function checkJoined(entries: readonly RecordEntry[], site: { site: string; identityKey: string }): Finding[] {
  const joined = entries.findLast((entry) => entry.kind === 'joined');
  if (joined === undefined || (joined.site === site.site && joined.identityKey === site.identityKey)) return [];
  const problem = `it is of site "${joined.site}" with the key ${joined.identityKey}; this folder belongs to "${site.site}" with ${site.identityKey}`;
  return [{ where: `entry ${joined.seq} of the record`, problem }];
}

/** Each stored act is this site's: signed by its key, about what its row says. */
function checkStatements(database: JournalDatabase, { identityKey }: { identityKey: string }): Finding[] {
  const key = hexToBytes(identityKey);
  return database.all('SELECT run, name, subject, digest, envelope FROM statements').flatMap((row) => {
    const where = `the row of statements with run ${shown(row['run'] as string)}, name ${shown(row['name'] as string)}, subject ${shown(row['subject'] as string)}`;
    try {
      const envelope: DsseEnvelope = parseEnvelope(JSON.parse(String(row['envelope'])));
      const payload = verifyEnvelope(envelope, key);
      const statement = parseStatement(payload);
      if (statement.name !== row['name'] || sha256Hex(payload) !== row['digest'])
        return [{ where, problem: `it holds another signed act, ${statement.name} with digest ${statement.digest}` }];
      return [];
    } catch (error) {
      return [{ where, problem: describeFailure(error).message }];
    }
  });
}

/** What the record names and this site keeps: plans, rosters and the states that sums started from. Their file name is their digest. */
function checkObjects(
  folder: string,
  database: JournalDatabase,
  entries: readonly RecordEntry[],
): { findings: Finding[]; notes: string[]; read: number } {
  const objects = new ObjectCache(join(folder, 'objects'));
  const pruned = new Set(entries.flatMap((entry) => (entry.kind === 'material-pruned' ? [entry.run] : [])));
  const starts = entries.flatMap((entry) =>
    entry.kind === 'trained' && entry.from !== null && entry.from.start !== null && !pruned.has(entry.from.run) ? [entry.from.start] : [],
  );
  const agreed = database.all('SELECT plan AS object FROM runs UNION SELECT roster FROM epochs').map((row) => String(row['object']));
  const named = [...new Set([...starts, ...agreed])].filter((name) => /^[0-9a-f]{64}$/.test(name));
  const damaged = named.filter((name) => objects.has(name) && objects.read(name) === undefined);
  const missing = starts.filter((name) => !objects.has(name)).length;
  return {
    findings: damaged.map((name) => ({ where: `the file objects/${name}`, problem: 'its bytes do not have this digest: it was changed' })),
    notes:
      missing === 0 ? [] : [`${missing} states that sums started from are not in the folder any more; those sums cannot be reproduced.`],
    read: named.length,
  };
}

function checkedText(entries: readonly RecordEntry[], heads: readonly RecordHead[], objects: number): string[] {
  const [first, last] = [entries[0], entries.at(-1)];
  const between = first === undefined || last === undefined ? '' : `, from ${iso(first.time)} to ${iso(last.time)}`;
  return [
    `${entries.length} entries of the record, each with the hash of the one before${between}`,
    `${heads.length} heads signed with the key of this site`,
    `every row and column of ${recordedTables.length} tables against the record, and the signatures of all stored acts`,
    `${objects} kept objects (plans, rosters, states that sums started from)`,
  ];
}

function tailNotes(entries: readonly RecordEntry[], heads: readonly RecordHead[]): string[] {
  const signed = heads.at(-1)?.seq ?? 0;
  // The note of the head itself follows it.
  const rest = entries.filter((entry) => entry.seq > signed && entry.kind !== 'head-signed').length;
  if (rest === 0) return [];
  return [`Entries at the end that no signed head covers yet: ${rest}. The agent signs one when it starts, applies a sum or stops.`];
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

function unchecked(reason: string): JournalReport {
  return { verdict: 'could-not-check', checked: [], findings: [], notes: [reason], entries: 0, head: '', signedUpTo: 0 };
}

function broken(problem: string): CheckedJournal {
  const findings = [{ where: 'the file journal.sqlite', problem }];
  const report = { verdict: 'does-not-hold' as const, checked: [], findings, notes: [], entries: 0, head: '', signedUpTo: 0 };
  return { report, entries: [], lines: [] };
}
