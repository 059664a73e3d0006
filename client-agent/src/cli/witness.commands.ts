import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, loadCrypto, type SecretFlags } from '@coferment/crypto';
import { encodeVkey, parseSplitView, parseVkey, type WitnessRoll } from '@coferment/ledger';
import { type Command, InvalidArgumentError } from 'commander';
import { AgentError } from '../agent.error.js';
import { LedgerClient } from '../connection/ledger.client.js';
import { readMembership } from '../enrolment/membership.file.js';
import { callRenewed } from '../enrolment/renewed.call.js';
import { endpointOf } from '../enrolment/renewal.flow.js';
import type { KeptEvidence } from '../journal/evidence.repository.js';
import type { Journal } from '../journal/journal.js';
import { KeyStore } from '../keys/key.store.js';
import { readSecret } from '../keys/store.secret.js';
import { printableLines } from '../printable.text.js';
import { type AskProof, compareCheckpoints, type Comparison } from '../witness/checkpoint.comparison.js';
import { readForeignCheckpoint } from '../witness/foreign.checkpoint.js';
import { rollOf } from '../witness/roll.reading.js';
import { dismissEvidence } from '../witness/split.evidence.js';
import { type Answer, answer, fail } from './command.output.js';
import { secretOptions } from './secret.options.js';
import { withJournal } from './site.journal.js';

interface DataOptions {
  data: string;
  json?: boolean;
}

interface EvidenceOptions extends DataOptions {
  out?: string;
  dismiss?: number;
  reason?: string;
}

const SPLIT = 1;
const COULD_NOT_CHECK = 2;

/** What a site does as a witness of the ledger. */
export function addWitnessCommands(ledger: Command): void {
  ledger
    .command('checkpoint')
    .description('Print the newest checkpoint that this site has cosigned, to give to other members')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent ledger checkpoint --data /var/lib/coferment > lab1-checkpoint.txt')
    .action((options: DataOptions) => answer(options, () => checkpoint(options)));

  secretOptions(ledger.command('compare'))
    .description("Compare another member's checkpoint or receipt with what this site has seen of the log")
    .argument('<file>', 'their "ledger checkpoint" output, a receipt, or "status --json"')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 the same log, 1 not the same (kept as evidence; this site stops), 2 it could not be compared.

Example:
  coferment-agent ledger compare lab2-checkpoint.txt --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase`,
    )
    .action(compare);

  ledger
    .command('policy')
    .description('Print who may cosign the ledger and how many must (C2SP tlog-policy), as this site has read it, for auditors')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent ledger policy --data /var/lib/coferment > policy.txt')
    .action((options: DataOptions) => answer(options, () => policy(options)));

  ledger
    .command('evidence')
    .description('Show or copy the evidence that the log is not the same for everybody, and let this site go on')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--out <dir>', 'write the evidence into files that anyone can check')
    .option('--dismiss <id>', 'a person has looked at this evidence, and the site goes on', parseId)
    .option('--reason <text>', 'why it goes on; it stays in the record of this site')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  coferment-agent ledger evidence --data /var/lib/coferment --out ./evidence
  coferment-agent ledger evidence --data /var/lib/coferment --dismiss 1 --reason "the operator restored a backup; telephone call of 3 March"`,
    )
    .action((options: EvidenceOptions, command: Command) => {
      if (options.dismiss !== undefined && (options.reason ?? '').trim() === '')
        command.error('error: --dismiss needs a --reason: it stays in the record of this site');
      return answer(options, () => evidence(options));
    });
}

function checkpoint({ data }: DataOptions): Promise<Answer> {
  return withJournal(data, (journal) => {
    const last = journal.cosigned.latest();
    if (last === undefined)
      throw new AgentError(
        'checkpoint-refused',
        'This site has cosigned no checkpoint yet. Start the agent (coferment-agent serve) and try again.',
      );
    const { note, size, root } = last;
    // The bytes of the note, so that the output is a file that others can check.
    return { json: { checkpoint: note, size: size.toString(), root: bytesToHex(root) }, text: note.slice(0, -1) };
  });
}

async function compare(file: string, options: SecretFlags & DataOptions): Promise<void> {
  try {
    await loadCrypto();
    const other = readForeignCheckpoint(readText(file), parseVkey(readMembership(options.data).logVkey));
    const found = await withJournal(options.data, (journal) => compareCheckpoints(journal, other, proofFromCoordinator(options)));
    const json = {
      verdict: found.verdict,
      ownSize: found.ownSize.toString(),
      otherSize: found.otherSize.toString(),
      ...(found.verdict === 'split-view' ? { evidence: found.evidence.id } : {}),
    };
    process.stdout.write(options.json === true ? `${JSON.stringify(json)}\n` : `${printableLines(comparisonText(found))}\n`);
    process.exitCode = found.verdict === 'same-log' ? 0 : SPLIT;
  } catch (error) {
    fail(options, error);
    process.exitCode = COULD_NOT_CHECK;
  }
}

function comparisonText(found: Comparison): string {
  switch (found.verdict) {
    case 'same-log':
      return `The same log: one of the two checkpoints, over ${found.otherSize} (theirs) and ${found.ownSize} (this site's) entries, extends the other.`;
    case 'split-view':
      return `NOT THE SAME LOG. ${found.evidence.what}\nIt is kept as evidence ${found.evidence.id}${found.evidence.dismissed === null ? ', and this site signs nothing in any run until you decide' : ', which was dismissed before'}: coferment-agent ledger evidence`;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AgentError('missing-file', `${file} cannot be read: ${(error as Error).message}.`);
  }
}

/** The keys of the site are opened only when there is something to ask. */
function proofFromCoordinator(options: SecretFlags & DataOptions): AskProof {
  return async (oldSize, newSize) => {
    const member = readMembership(options.data);
    const store = KeyStore.open(join(options.data, 'keys'), await readSecret(options));
    return callRenewed(options.data, member, store, async (current, credential) => {
      const client = new LedgerClient(endpointOf(current), credential);
      try {
        return await client.consistencyProof(oldSize, newSize);
      } finally {
        client.close();
      }
    });
  };
}

function policy({ data }: DataOptions): Promise<Answer> {
  const { logVkey, origin } = readMembership(data);
  return withJournal(data, (journal) => {
    const { entries } = journal.ownActs.position();
    const roll = rollOf(journal.roll, origin);
    requireKnown(journal, entries, roll);
    const text = `# As this site has read it in the first ${entries} entries of the ledger.\n${roll.policyText(logVkey)}`;
    return { json: { policy: text, entries, quorum: roll.quorum, witnesses: roll.keys.map(encodeVkey) }, text: text.slice(0, -1) };
  });
}

/** A quorum that the known witnesses cannot meet has no form in a policy: whoever got it would take checkpoints without any witness. */
function requireKnown({ roll }: Journal, entries: number, { quorum, keys }: WitnessRoll): void {
  const whatToDo = 'Let the agent run until it has read on (coferment-agent serve), then try again';
  if (!roll.all().some(({ name }) => name === 'charter'))
    throw new AgentError(
      'checkpoint-refused',
      `This site has not read the charter in the first ${entries} entries of the ledger, so it does not know who may cosign. ${whatToDo}.`,
    );
  if (quorum > keys.length)
    throw new AgentError(
      'checkpoint-refused',
      `The charter asks for ${quorum} witnesses, but only ${keys.length} are named in the first ${entries} entries of the ledger, as this site has read it. ${whatToDo}; if it stays, ask the operator: the agents of other sites have to have run once.`,
    );
}

function evidence({ data, out, dismiss, reason }: EvidenceOptions): Promise<Answer> {
  return withJournal(data, (journal) => {
    if (dismiss !== undefined) {
      const { what } = dismissEvidence(journal, dismiss, (reason ?? '').trim());
      const left = journal.evidence.undecided().length;
      const rest = left === 0 ? 'This site goes on.' : `Still undecided: ${left}. This site signs nothing until they are decided on.`;
      return { json: { dismissed: dismiss, undecided: left }, text: `Evidence ${dismiss} is dismissed: ${what}\n${rest}` };
    }
    const all = journal.evidence.all();
    const files = out === undefined ? [] : writeEvidence(out, all);
    return {
      json: { evidence: all, files },
      text: [
        ...(all.length === 0 ? ['There is no evidence against the log: as far as this site can tell, it shows everybody the same.'] : []),
        ...all.map(evidenceText),
        ...files.map((file) => `written: ${file}`),
      ].join('\n'),
    };
  });
}

function evidenceText({ id, what, foundMs, dismissed }: KeptEvidence): string {
  const decided =
    dismissed === null
      ? '  undecided: this site signs nothing in any run'
      : `  dismissed ${new Date(dismissed.atMs).toISOString()}: ${dismissed.reason}`;
  return `Evidence ${id} (${new Date(foundMs).toISOString()}): ${what}\n${decided}`;
}

/** Both signed halves word for word, each in a file of its own too: they are notes that any tool for C2SP notes verifies. */
function writeEvidence(folder: string, all: readonly KeptEvidence[]): string[] {
  mkdirSync(folder, { recursive: true });
  const files = all.flatMap(({ id, foundBy, evidence: text }): [string, string][] => {
    const whole: [string, string] = [`evidence-${id}.json`, text];
    if (foundBy === 'entries') return [whole];
    const { first, second } = parseSplitView(text);
    return [whole, [`evidence-${id}-first.txt`, first], [`evidence-${id}-second.txt`, second]];
  });
  return files.map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}

function parseId(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It must be the number of an evidence.');
  return Number(text);
}
