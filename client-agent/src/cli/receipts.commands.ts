import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommitmentOpening, type CommittedFact, committedFacts, peekStatement } from '@coferment/consortium';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import { parsePolicy } from '@coferment/ledger';
import { type Command, InvalidArgumentError } from 'commander';
import { AgentError, describeFailure } from '../agent.error.js';
import { readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import { KeyStore } from '../keys/key.store.js';
import { readSecret } from '../keys/store.secret.js';
import { printableLines } from '../printable.text.js';
import { findOpenings } from '../receipts/contribution.openings.js';
import { exportReceipt, receiptFolder } from '../receipts/receipt.export.js';
import { judgedText, receiptJson, receiptLine } from '../receipts/receipt.text.js';
import { judgeStored, problemsOf, requireStored, withContribution } from '../receipts/stored.receipt.js';
import { type Answer, answer, fail } from './command.output.js';
import { secretOptions } from './secret.options.js';
import { withJournal } from './site.journal.js';

interface DataOptions {
  data: string;
  run?: string;
  json?: boolean;
}

const DOES_NOT_HOLD = 1;
const COULD_NOT_CHECK = 2;

export function addReceiptsCommands(program: Command): void {
  const receipts = program
    .command('receipts')
    .description('Receipts: proofs, for others too, that contributions of this site were counted');
  receipts
    .command('list')
    .description('List the contributions that were counted, and whether their receipts are here')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--run <run>', 'only of this run')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent receipts list --data /var/lib/coferment')
    .action((options: DataOptions) => answer(options, () => withJournal(options.data, (journal) => list(journal, options))));

  receipts
    .command('show')
    .description('Say what one receipt proves')
    .argument('<run>', 'run of the contribution')
    .argument('<sum>', 'number of the sum, as receipts list shows it', readSum)
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent receipts show r1-0123456789abcdef 5 --data /var/lib/coferment')
    .action((run: string, sum: number, options: DataOptions) =>
      answer(options, () =>
        withJournal(options.data, (journal) => {
          const judged = judgeStored(requireStored(journal, run, sum), readMembership(options.data));
          return { json: judged, text: judgedText(judged) };
        }),
      ),
    );

  receipts
    .command('verify')
    .description('Verify all receipts of this site again, without network')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--run <run>', 'only of this run')
    .option('--policy <file>', 'whose cosignatures count (C2SP tlog-policy); default: as the ledger said when a receipt was stored')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 all of them hold, 1 one does not hold, 2 there is none to verify, or it could not be done.

Example:
  coferment-agent receipts verify --data /var/lib/coferment`,
    )
    .action(verify);

  secretOptions(receipts.command('open'))
    .description('Write a file that opens commitments of one contribution, for whoever you give it to; nothing is sent')
    .argument('<run>', 'run of the contribution')
    .argument('<sum>', 'number of the sum, as receipts list shows it', readSum)
    .requiredOption('--data <dir>', 'data folder of this site')
    .requiredOption('--out <file>', 'file to write; it must not exist')
    .option('--samples', 'open the number of rows behind the contribution')
    .option('--batches', 'open the number of batches that these rows are of')
    .option('--data-report', 'open the digest of the data report')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent receipts open r1-0123456789abcdef 5 --samples --out samples.json --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    )
    .action((run: string, sum: number, options: OpenOptions) => answer(options, () => open(run, sum, options)));

  receipts
    .command('export')
    .description('Write receipts into a folder, as tlog-proofs and as Sigstore bundles, for others to check')
    .requiredOption('--out <dir>', 'folder to write to')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--run <run>', 'only of this run')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent receipts export --out ./receipts --data /var/lib/coferment')
    .action((options: DataOptions & { out: string }) =>
      answer(options, () => withJournal(options.data, (journal) => exportAll(journal, options))),
    );
}

function list(journal: Journal, { run }: DataOptions): Answer {
  const receipts = journal.receipts.all().filter((receipt) => run === undefined || receipt.run === run);
  const text = receipts.length === 0 ? 'No contribution of this site was counted so far.' : receipts.map(receiptLine).join('\n');
  return { json: { receipts: receipts.map(receiptJson) }, text };
}

async function verify(options: DataOptions & { policy?: string }): Promise<void> {
  try {
    const member = readMembership(options.data);
    const policy = options.policy === undefined ? undefined : parsePolicy(readFileSync(options.policy, 'utf8'));
    await withJournal(options.data, (journal) => {
      const ours = journal.receipts.all().filter(({ run }) => options.run === undefined || run === options.run);
      const stored = ours.filter((receipt) => receipt.stored !== undefined).map((receipt) => withContribution(journal, receipt));
      const judged = stored.map((each) => ({ run: each.receipt.run, sum: each.receipt.sum, ...problemsOf(each, member, policy) }));
      const wrong = judged.filter(({ problems }) => problems.length > 0);
      const text = [
        ...wrong.flatMap(({ run, sum, problems }) => problems.map((problem) => `✗ sum ${sum} of ${run}: ${problem}`)),
        `${judged.length - wrong.length} of ${judged.length} receipts hold; ${ours.length - stored.length} more are still waited for.`,
      ].join('\n');
      const report = { holds: judged.length - wrong.length, waiting: ours.length - stored.length, receipts: judged };
      process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : `${printableLines(text)}\n`);
      process.exitCode = wrong.length > 0 ? DOES_NOT_HOLD : judged.length === 0 ? COULD_NOT_CHECK : 0;
    });
  } catch (error) {
    fail(options, error);
    process.exitCode = COULD_NOT_CHECK;
  }
}

interface OpenOptions extends DataOptions, SecretFlags {
  out: string;
  samples?: boolean;
  batches?: boolean;
  dataReport?: boolean;
}

const meanings: Readonly<Record<CommittedFact, string>> = {
  samples: 'rows behind the contribution',
  batches: 'batches that these rows are of',
  'data-report': "digest of the site's data report",
};

async function open(run: string, sum: number, options: OpenOptions): Promise<Answer> {
  const { samples, batches, dataReport, data, out } = options;
  const wanted = { samples, batches, 'data-report': dataReport };
  const facts = committedFacts.filter((fact) => wanted[fact] === true);
  if (facts.length === 0)
    throw new AgentError('no-receipt', 'Say what is to be opened: --samples, --batches, --data-report, or several of them.');
  await loadCrypto();
  readMembership(data);
  const store = KeyStore.open(join(data, 'keys'), await readSecret(options));
  const journal = Journal.open(join(data, 'journal.sqlite'), { vault: store });
  try {
    const { contribution, openings } = openingsFor(journal, run, sum, facts);
    try {
      writeFileSync(out, `${JSON.stringify({ contribution, openings }, undefined, 2)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw new AgentError('file-exists', `Nothing was opened: ${out} cannot be written (${describeFailure(error).message}).`);
    }
    const text = [
      `Wrote ${out}. Whoever has it, and the receipt of sum ${sum}, knows for certain:`,
      ...openings.map(({ fact, value }) => `  ${meanings[fact]}: ${value}`),
      'It opens nothing else of this contribution, and no other contribution. The salt stays in this folder. Nothing was sent.',
      `They check it with: coferment-audit receipt contribution.tlog-proof freeze.tlog-proof --policy policy.txt --opening ${out}`,
    ];
    return { json: { file: out, contribution, openings }, text: text.join('\n') };
  } finally {
    journal.close();
  }
}

function openingsFor(
  journal: Journal,
  run: string,
  sum: number,
  facts: readonly CommittedFact[],
): { contribution: string; openings: CommitmentOpening[] } {
  const receipt = journal.receipts.find(run, sum);
  const signed = receipt === undefined ? undefined : journal.statements.at(receipt.contribution);
  if (receipt === undefined || signed === undefined)
    throw new AgentError(
      'no-receipt',
      `No contribution of this site to sum ${sum} of "${run}" was counted. See: coferment-agent receipts list`,
    );
  const statement = peekStatement(signed);
  const found = statement.name === 'contribution' ? findOpenings(journal, statement.predicate) : undefined;
  if (found === undefined)
    throw new AgentError(
      'no-receipt',
      `The contribution to sum ${sum} of ${run} was made by an older agent, which kept nothing that opens it. Nobody can open it any more; its receipt holds all the same.`,
    );
  return { contribution: receipt.contribution, openings: facts.map((fact) => found[fact]) };
}

function exportAll(journal: Journal, { out, run, data }: DataOptions & { out: string }): Answer {
  const { logVkey } = readMembership(data);
  const stored = journal.receipts
    .all()
    .filter((receipt) => receipt.stored !== undefined && (run === undefined || receipt.run === run))
    .map((receipt) => withContribution(journal, receipt));
  const files = stored.flatMap((receipt) => exportReceipt(receipt, logVkey, out));
  const [first] = stored;
  if (first === undefined) throw new AgentError('no-receipt', 'There is no receipt to export. See: coferment-agent receipts list');
  const folder = join(out, receiptFolder(first));
  const text = [
    `Wrote ${stored.length} receipts to ${out}. Others check each with the key of the log, which they need from elsewhere:`,
    `  coferment-audit receipt ${folder}/contribution.tlog-proof ${folder}/freeze.tlog-proof --key "${logVkey}"`,
  ];
  return { json: { out, receipts: stored.length, files, logVkey }, text: text.join('\n') };
}

function readSum(text: string): number {
  const sum = Number(text);
  if (!Number.isInteger(sum) || sum < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return sum;
}
