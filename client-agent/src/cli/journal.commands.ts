import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalBytes, digestSchema } from '@coferment/consortium';
import { loadCrypto, type SecretFlags, type StoreSecret } from '@coferment/crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { AgentError, describeFailure } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { isMember, readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import { type JournalReport, verifyJournal } from '../journal/journal.verification.js';
import { compareWithLedger } from '../journal/ledger.comparison.js';
import { noteMembership } from '../journal/membership.entries.js';
import { pruneMaterial } from '../journal/material.pruning.js';
import { readRecord } from '../journal/record.chain.js';
import type { RecordLine } from '../journal/record.entry.js';
import { exportRecord, verifyExport } from '../journal/record.export.js';
import { isSince, parseSince, RunFilter, type Since } from '../journal/record.filter.js';
import { inspectRecord } from '../journal/record.reader.js';
import { describeEntry } from '../journal/record.text.js';
import { KeyStore } from '../keys/key.store.js';
import { openIdentity } from '../keys/site.identity.js';
import { readSecret } from '../keys/store.secret.js';
import { printableLines } from '../printable.text.js';
import { answer, fail } from './command.output.js';

interface DataOptions {
  data: string;
  json?: boolean;
}

const EXIT_CODES: Readonly<Record<JournalReport['verdict'], number>> = { holds: 0, 'does-not-hold': 1, 'could-not-check': 2 };

export function addJournalCommands(program: Command): void {
  const journal = program.command('journal').description("This site's own record: what was decided, signed, sent and refused here");
  journal
    .command('list', { isDefault: true })
    .description('The entries in plain words, oldest first')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--since <when>', 'a date, a length of time such as "7 d", or the number of an entry', readSince)
    .option('--run <run>', 'only what belongs to this run')
    .option('--json', 'print the exact line and hash of each entry, one JSON object a line')
    .addHelpText('after', "\nExample:\n  coferment-agent journal --data /var/lib/coferment --since '7 d'")
    .action((options: DataOptions & { since?: Since; run?: string }) => list(options));

  journal
    .command('verify')
    .description('Check that nothing in the journal was changed; with a file, check an exported record')
    .argument('[file]', 'an exported record; then --key is needed and no data folder')
    .option('--data <dir>', 'data folder of this site')
    .option('--key <hex>', 'identity key of the site, 64 hex digits, for an exported record', readKey)
    .option('--ledger <dir>', 'compare with an exported ledger too, both ways')
    .option('--log-key <vkey>', "the ledger's key as you got it on paper")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 everything holds, 1 something does not hold, 2 it could not be checked.

Examples:
  coferment-agent journal verify --data /var/lib/coferment
  coferment-agent journal verify --data /var/lib/coferment --ledger ./ledger --log-key 'ledger.example/fermentation-a+…'
  coferment-agent journal verify record.jsonl --key 5f0c…`,
    )
    .action((file: string | undefined, options: VerifyOptions) => verify(file, options));

  journal
    .command('export')
    .description('Write the record to a file that others can check with the identity key of this site')
    .argument('<file>', 'file to write; it must not exist')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--passphrase-file <file>', 'signs the newest entries too; without it the file ends with the last signed head')
    .option('--key-file <file>', 'the same, with a key file')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent journal export record.jsonl --data /var/lib/coferment --passphrase-file pass.txt')
    .action((file: string, options: DataOptions & SecretFlags) => answer(options, () => exportTo(file, options)));

  journal
    .command('prune')
    .description('Remove the states that are kept for reproducing the updates of a run; the record stays whole')
    .requiredOption('--data <dir>', 'data folder of this site')
    .requiredOption('--run <run>', 'run whose states are removed')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent journal prune --run r1-0123456789abcdef --data /var/lib/coferment')
    .action((options: DataOptions & { run: string }) =>
      answer(options, () => {
        const opened = Journal.open(join(options.data, 'journal.sqlite'));
        try {
          const pruned = pruneMaterial(opened, new ObjectCache(join(options.data, 'objects')), options.run);
          const text = `Removed ${pruned.objects} states of ${options.run}, ${pruned.bytes} bytes. Its updates cannot be reproduced any more.`;
          return { json: { run: options.run, ...pruned }, text };
        } finally {
          opened.close();
        }
      }),
    );
}

function list(options: DataOptions & { since?: Since; run?: string }): void {
  try {
    readMembership(options.data);
    const { lines } = inspectRecord(options.data);
    const { entries, findings } = readRecord(lines);
    const filter = options.run === undefined ? undefined : new RunFilter(options.run, entries);
    const names = new Map<number, string>();
    for (const [index, entry] of entries.entries()) {
      const text = describeEntry(entry, names);
      const picked = filter === undefined || filter.picks(entry);
      if (!picked || (options.since !== undefined && !isSince(entry, options.since))) continue;
      process.stdout.write(options.json === true ? `${jsonLine(lines[index]!)}\n` : `${printableLines(text)}\n`);
    }
    const [finding] = findings;
    if (finding !== undefined)
      throw new AgentError(
        'journal-damaged',
        `The record ends here: ${finding.where}: ${finding.problem}. See: coferment-agent journal verify --data ${options.data}`,
      );
  } catch (error) {
    fail(options, error);
  }
}

function jsonLine({ hash, line }: RecordLine): string {
  return Buffer.from(canonicalBytes({ hash, line })).toString('utf8');
}

interface VerifyOptions {
  data?: string;
  key?: string;
  ledger?: string;
  logKey?: string;
  json?: boolean;
}

async function verify(file: string | undefined, options: VerifyOptions): Promise<void> {
  try {
    await loadCrypto();
    const report = file === undefined ? await verifyFolder(options) : verifyFile(file, options);
    process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : `${printableLines(reportText(report))}\n`);
    process.exitCode = EXIT_CODES[report.verdict];
  } catch (error) {
    fail(options, error);
    process.exitCode = EXIT_CODES['could-not-check'];
  }
}

async function verifyFolder({ data, ledger, logKey, key }: VerifyOptions): Promise<JournalReport> {
  if (data === undefined)
    throw new AgentError('missing-file', 'Give the data folder of this site with --data, or an exported record and --key.');
  const member = isMember(data) ? readMembership(data) : undefined;
  if (member !== undefined && key !== undefined && key !== member.identityKey)
    throw new AgentError('missing-file', `The site in ${data} has the identity key ${member.identityKey}, not ${key}.`);
  const { report, entries } = verifyJournal(data, member);
  if (ledger === undefined || report.verdict !== 'holds' || member === undefined) return report;
  const compared = await compareWithLedger((path) => readIfThere(join(ledger, path)), entries, member, logKey);
  return {
    ...report,
    verdict: compared.findings.length === 0 ? 'holds' : 'does-not-hold',
    findings: compared.findings,
    checked: [...report.checked, ...compared.checked],
    notes: [...report.notes, ...compared.notes],
  };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(describeFailure(error).code)) return undefined;
    throw error;
  }
}

function verifyFile(file: string, { key }: VerifyOptions): JournalReport {
  if (key === undefined)
    throw new AgentError('missing-file', 'Give the identity key of the site with --key, as you got it from elsewhere than the file.');
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new AgentError('missing-file', `The exported record ${file} cannot be read (${describeFailure(error).message}).`);
  }
  try {
    const { title, entries, heads, findings } = verifyExport(bytes, key);
    return {
      verdict: findings.length === 0 ? 'holds' : 'does-not-hold',
      checked: [
        `${entries.length} entries of site ${title.site} of ${title.consortium}`,
        `${heads} heads signed with its key; the last one covers the last entry`,
      ],
      findings,
      notes: [],
      entries: entries.length,
      head: '',
      signedUpTo: entries.length,
    };
  } catch (error) {
    const findings = [{ where: `the file ${file}`, problem: describeFailure(error).message }];
    return { verdict: 'does-not-hold', checked: [], findings, notes: [], entries: 0, head: '', signedUpTo: 0 };
  }
}

function reportText({ verdict, checked, findings, notes }: JournalReport): string {
  const titles = {
    holds: 'The record holds.',
    'does-not-hold': 'The record DOES NOT HOLD.',
    'could-not-check': 'It could not be checked.',
  };
  return [
    titles[verdict],
    ...findings.map(({ where, problem }) => `  ✗ ${where}: ${problem}`),
    ...checked.map((line) => `  checked: ${line}`),
    ...notes.map((line) => `  note: ${line}`),
    ...(verdict === 'does-not-hold'
      ? ['Keep this folder as it is, and compare it with a copy or with the ledger before anything else is done.']
      : []),
  ].join('\n');
}

async function exportTo(file: string, options: DataOptions & SecretFlags) {
  await loadCrypto();
  const member = readMembership(options.data);
  const mayOpen = options.passphraseFile !== undefined || options.keyFile !== undefined;
  if (mayOpen) signNewest(options.data, await readSecret(options));
  const { lines, heads } = inspectRecord(options.data);
  const { consortium, site, identityKey } = member;
  const bytes = exportRecord({ consortium, site, identityKey }, lines, heads);
  const covered = heads.at(-1)?.seq ?? 0;
  try {
    writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new AgentError('missing-file', `The record was not exported: ${file} cannot be written (${describeFailure(error).message}).`);
  }
  const rest = lines.slice(covered).filter(({ line }) => !line.includes('"kind":"head-signed"')).length;
  const text = [
    `Wrote ${covered} entries to ${file}. Others check it with: coferment-agent journal verify ${file} --key ${identityKey}`,
    ...(rest === 0
      ? []
      : [`${rest} entries that no signed head covers were left out. With --passphrase-file or --key-file they are signed and included.`]),
  ];
  return { json: { file, entries: covered, leftOut: rest, identityKey }, text: text.join('\n') };
}

function signNewest(folder: string, passphrase: StoreSecret): void {
  const identity = openIdentity(KeyStore.open(join(folder, 'keys'), passphrase));
  const opened = Journal.open(join(folder, 'journal.sqlite'), { identity });
  try {
    noteMembership(opened.record, readMembership(folder));
    opened.record.signHead();
  } finally {
    opened.close();
  }
}

function readSince(text: string): Since {
  const since = parseSince(text, Date.now());
  if (since === undefined)
    throw new InvalidArgumentError('Give a date such as 2026-11-01, a length of time such as "7 d", or the number of an entry.');
  return since;
}

function readKey(text: string): string {
  if (!digestSchema.safeParse(text).success) throw new InvalidArgumentError('An identity key is 64 lower-case hexadecimal digits.');
  return text;
}
