import { digestSchema } from '@coferment/consortium';
import type { Command } from 'commander';
import { AgentError } from '../agent.error.js';
import type { Journal } from '../journal/journal.js';
import { printableLines } from '../printable.text.js';
import { newSetText } from '../status/new-set.text.js';
import { type Answer, answer } from './command.output.js';
import { withJournal } from './site.journal.js';

interface SetOptions {
  data: string;
  json?: boolean;
  reason?: string;
}

const DECIDED = { approve: 'approved', reject: 'rejected' } as const;

export function addSetCommands(program: Command): void {
  const sets = program
    .command('sets')
    .description('Other sets that are proposed for sums that cannot complete: what each would show, and your decision');
  sets
    .command('show')
    .description('Each proposal: both sets, who is in one of them only, and what could be read from the difference')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent sets show --data /var/lib/coferment')
    .action((options: SetOptions) => answer(options, () => withJournal(options.data, showSets)));
  decision(sets, 'approve', 'Approve another set. It is final, and the difference of the two sums becomes readable');
  decision(sets, 'reject', 'Reject another set: its sum is then not made over it');
}

function decision(sets: Command, verb: keyof typeof DECIDED, description: string): void {
  sets
    .command(verb)
    .description(description)
    .argument('<digest...>', 'digest of the proposal, 64 hex digits, as `sets show` prints it; groups of four may be separated')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option(
      '--reason <text>',
      verb === 'reject' ? 'told to the operator, if the policy lets reasons be told' : 'kept in the record of this site',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  coferment-agent sets ${verb} "a1b2 c3d4 …" --data /var/lib/coferment`)
    .action((words: string[], options: SetOptions) =>
      answer(options, () => withJournal(options.data, (journal) => decide(journal, words, DECIDED[verb], options.reason ?? ''))),
    );
}

function showSets(journal: Journal): Answer {
  const proposals = journal.newSets.all();
  const text = proposals.length === 0 ? 'No other set was proposed to this site.' : proposals.map(newSetText).join('\n\n');
  return { json: proposals, text };
}

/** The whole digest, not a choice from a list: whoever enters it has had the proposal before their eyes. */
function decide(journal: Journal, words: readonly string[], verdict: 'approved' | 'rejected', reason: string): Answer {
  const digest = words.join('').replaceAll(/\s/g, '').toLowerCase();
  if (!digestSchema.safeParse(digest).success)
    throw new AgentError(
      'proposal-unknown',
      `"${digest}" is no digest: it has 64 hexadecimal digits. Nothing was decided. See: coferment-agent sets show`,
    );
  const shown = journal.newSets.find(digest);
  if (shown !== undefined) process.stderr.write(`${printableLines(newSetText(shown))}\n`);
  const decided = journal.newSets.decide(digest, verdict, reason);
  return { json: decided, text: `The set ${decided.after.join(', ')} for sum ${decided.sum} of ${decided.run} is ${verdict}.` };
}
