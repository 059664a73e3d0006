/*
 * Every kind of file that somebody else may have written, changed at random: whoever reads it says in its own words what is wrong with it, in time, or takes it. No
 * TypeError, no stack without end, no read without bound.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inviteLine, inviteText, parseInvite, parsePlan, parseRoster, parseStatement } from '@coferment/consortium';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCsv } from '../../client-agent/src/data/csv.reader.js';
import { parseMapping } from '../../client-agent/src/data/mapping.parser.js';
import { parsePolicy as parseSitePolicy } from '../../client-agent/src/policy/policy.parser.js';
import { parseLine } from '../../client-agent/src/journal/record.entry.js';
import { readMembership } from '../../client-agent/src/enrolment/membership.file.js';
import { readFacts } from '../../coordinator/src/identity/consortium.facts.js';
import { parseLimits } from '../../coordinator/src/limits/limits.file.js';
import { readCheckpoint } from '../../coordinator/src/publication/checkpoint.file.js';
import { parseEntry } from '../../ledger/src/entry/index.js';
import { openCheckpoint } from '../../ledger/src/note/index.js';
import { parsePolicy as parseWitnessPolicy } from '../../ledger/src/policy/index.js';
import { exportSample, LOG_KEY, LOG_VKEY, sampleLedger } from '../../ledger/src/verify/sample-ledger.fixture.js';
import { verifyFiles } from '../../ledger/src/verify/verification.fixture.js';
import { parseAddCheckpoint, parseSplitView } from '../../ledger/src/witness/index.js';
import { PLAN_TEXT } from '../../coordinator/src/testing/coordinator.fixture.js';
import { diceOf, mutateEncoding } from './wire.mutation.fixture.js';
import { mutateText } from './text.mutation.fixture.js';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** For each kind of file. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 200);
/** An export has many files and is read whole: fewer of them. */
const EXPORTS = Math.ceil(CASES / 5);
/** For one file, on a slow machine. */
const LONGEST_MS = 5000;

const folder = mkdtempSync(join(tmpdir(), 'fuzz-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const example = (name: string) => readFileSync(join(import.meta.dirname, '../../examples/ecoli-proteinl', name), 'utf8');
const invite = {
  schema: 1 as const,
  consortium: 'fermentation',
  site: 'alpha',
  coordinator: 'coordinator.example:7443',
  serverName: 'coordinator.example',
  caCertificate: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  inviteId: '0123456789abcdef',
  secret: 'a'.repeat(64),
  expiresAt: '2030-01-01T00:00:00.000Z',
};
const layout = { delimiter: 'auto', decimal: '.', encoding: 'utf-8', headerLine: 1 } as unknown as Parameters<typeof readCsv>[2];

/** Reads a text from the file that a program would find it in. */
function inFolder(name: string, read: () => unknown): (text: string) => unknown {
  return (text) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return read();
  };
}

interface Kind {
  seeds: () => readonly string[];
  read: (text: string) => unknown;
}

let files: Map<string, Uint8Array>;
beforeAll(async () => {
  files = await exportSample(sampleLedger());
});
const exported = (name: RegExp) =>
  [...files]
    .filter(([path]) => name.test(path))
    .map(([, bytes]) => Buffer.from(bytes).toString('utf8'))
    .slice(0, 20);

const kinds: Record<string, Kind> = {
  'a plan': { seeds: () => [example('plan.yaml'), PLAN_TEXT], read: parsePlan },
  'an invite': { seeds: () => [inviteText(invite as never), inviteLine(invite as never)], read: parseInvite },
  "a site's policy": {
    seeds: () => [
      'schema: 1\nplans: []\n',
      readFileSync(join(import.meta.dirname, '../../docs/policy-file.md'), 'utf8')
        .split('```yaml\n')[1]!
        .split('```')[0]!,
    ],
    read: (text) => parseSitePolicy(text, 'policy.yaml'),
  },
  'a mapping': {
    seeds: () => ['doe1', 'doe2', 'doe3'].map((name) => example(`${name}.mapping.yaml`)),
    read: (text) => parseMapping(text, 'mapping.yaml'),
  },
  'a table of records': {
    seeds: () => ['batch;time;"pH, mean"\nA;0;7.1\nA;1,5;"7,0"\n', 'a,b\n1,2\n\n3,4\n', '\ufeffa\tb\r\n1\t2\r\n'],
    read: (text) => readCsv('records.csv', Buffer.from(text), layout),
  },
  'a roster': {
    seeds: () => ['{"schema":1,"sites":[{"site":"alpha","identityKey":"00"}],"keyHolders":[],"leftOut":[],"parameters":{}}'],
    read: (text) => parseRoster(Buffer.from(text)),
  },
  'a statement': { seeds: () => exported(/payloads/), read: (text) => parseStatement(Buffer.from(text)) },
  "a record of the site's journal": { seeds: () => ['{"seq":1,"kind":"started","time":1,"previous":""}'], read: parseLine },
  'a membership': {
    seeds: () => [JSON.stringify(invite)],
    read: inFolder('membership.json', () => readMembership(folder)),
  },
  'consortium.json': {
    seeds: () => [JSON.stringify({ consortium: 'a', origin: 'b.example/c', operatorKey: '0'.repeat(64), authority: 'x', serverName: 'y' })],
    read: inFolder('consortium.json', () => readFacts(folder)),
  },
  'the limits': { seeds: () => ['site: { pollsHeld: 4 }\ncaller:\n  callsPer10s: 100\n'], read: parseLimits },
  'a published checkpoint': {
    seeds: () => exported(/^checkpoint$/),
    read: inFolder('checkpoint', () => readCheckpoint(join(folder, 'checkpoint'), LOG_VKEY)),
  },
  'a checkpoint of somebody else': { seeds: () => exported(/^checkpoint$/), read: (text) => openCheckpoint(text, [LOG_KEY]) },
  'a policy of witnesses': { seeds: () => [...exported(/policy/), `log ${LOG_VKEY}\nquorum none\n`], read: parseWitnessPolicy },
  'an entry of a ledger': { seeds: () => exported(/payloads/), read: (text) => parseEntry(Buffer.from(text)) },
  'a checkpoint for a witness': {
    seeds: () => exported(/^checkpoint$/).map((note) => `old 0\n\n${note}`),
    read: (text) => parseAddCheckpoint(Buffer.from(text)),
  },
  'evidence of a split': { seeds: () => exported(/^checkpoint$/).map((note) => `${note}\n${note}`), read: parseSplitView },
};

/** What is thrown where nobody thought of the case, and what libraries throw at those who use them. */
const UNFORESEEN = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'URIError',
  'ZodError',
  'YAMLParseError',
  'CsvError',
]);

/** An error of the reader's own: somebody thought of it. */
function isForeseen(error: unknown): boolean {
  return error instanceof Error && !UNFORESEEN.has(error.name);
}

let read = 0;
describe.each(Object.keys(kinds))('%s', (name) => {
  it('is taken or refused in words of its reader, whatever is in it', () => {
    const { seeds, read: reader } = kinds[name]!;
    const texts = seeds();
    expect(texts).not.toEqual([]);
    let refused = 0;
    for (let number = 0; number < CASES; number++) {
      const dice = diceOf(SEED, name, number);
      const text = mutateText(dice.of(texts), dice);
      const startedMs = performance.now();
      try {
        reader(text);
      } catch (error) {
        refused += 1;
        expect(isForeseen(error), `case ${number} of seed ${SEED}: ${String(error)}\n${(error as Error).stack}`).toBe(true);
      }
      expect(performance.now() - startedMs, `case ${number} of seed ${SEED}`).toBeLessThan(LONGEST_MS);
      read += 1;
    }
    expect(refused).toBeGreaterThan(0);
  });
});

describe('an export of a ledger', () => {
  it('is verified to an answer, whatever was done to its files', async () => {
    const paths = [...files.keys()];
    for (let number = 0; number < EXPORTS; number++) {
      const dice = diceOf(SEED, 'export', number);
      const changed = new Map(files);
      for (let changes = 1 + dice.below(3); changes > 0; changes--) {
        const path = dice.of(paths);
        const bytes = changed.get(path);
        if (bytes === undefined || dice.below(6) === 0) changed.delete(path);
        else if (dice.below(2) === 0) changed.set(path, mutateEncoding(bytes, dice));
        else changed.set(path, Buffer.from(mutateText(Buffer.from(bytes).toString('latin1'), dice), 'latin1'));
      }
      const report = await verifyFiles(changed);
      const isSame = paths.every((path) => Buffer.compare(changed.get(path) ?? Buffer.from('-'), files.get(path)!) === 0);
      expect(
        report.checks.every(({ outcome }) => outcome === 'holds'),
        `case ${number} of seed ${SEED}`,
      ).toBe(isSame && report.checks.every(({ outcome }) => outcome === 'holds'));
      read += 1;
    }
  });
});

describe('the files', () => {
  it('were enough', () => {
    console.error(`${read} files of ${Object.keys(kinds).length + 1} kinds`);
    expect(read).toBeGreaterThanOrEqual(Object.keys(kinds).length * CASES);
  });
});
