import { join } from 'node:path';
import { digestSchema, formatFingerprint, parseRoster } from '@coferment/consortium';
import type { Command } from 'commander';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import type { Journal } from '../journal/journal.js';
import { describeMembers } from '../policy/roster.policy.js';
import { type Answer, answer } from './command.output.js';
import { addPlanCommands } from './plan.commands.js';
import { withJournal } from './site.journal.js';

interface DataOptions {
  data: string;
  json?: boolean;
}

export function addApprovalCommands(program: Command): void {
  addPlanCommands(program);
  const roster = program.command('roster').description('Compare and approve who takes part in a key epoch');
  roster
    .command('show')
    .description('Fingerprints that were approved, and the one that waits')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent roster show --data /var/lib/coferment')
    .action((options: DataOptions) => answer(options, () => withJournal(options.data, (journal) => showRoster(journal, options.data))));
  roster
    .command('approve')
    .description('Approve the roster whose fingerprint you compared with the other sites, not with the coordinator')
    .argument('<fingerprint...>', 'fingerprint, 64 hex digits; groups of four may be separated')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent roster approve "a1b2 c3d4 …" --data /var/lib/coferment')
    .action((words: string[], options: DataOptions) =>
      answer(options, () => {
        const fingerprint = words.join('').replaceAll(/\s/g, '').toLowerCase();
        if (!digestSchema.safeParse(fingerprint).success) {
          throw new AgentError(
            'fingerprint-malformed',
            `"${fingerprint}" is no fingerprint: it has 64 hexadecimal digits. Nothing was approved.`,
          );
        }
        return withJournal(options.data, (journal) => {
          journal.approvals.approveRoster(fingerprint);
          return { json: { fingerprint, approved: true }, text: `Approved the roster ${formatFingerprint(fingerprint)}.` };
        });
      }),
    );
}

function showRoster(journal: Journal, folder: string): Answer {
  const approved = journal.approvals.lastRoster() ?? null;
  const objects = new ObjectCache(join(folder, 'objects'));
  const epochs = journal.runs.all().flatMap((run) =>
    journal.runs.epochs(run.run).map(({ epoch, fingerprint, roster }) => {
      const bytes = objects.read(roster);
      return { run: run.run, epoch, fingerprint, members: bytes === undefined ? null : describeMembers(parseRoster(bytes)) };
    }),
  );
  const waits = journal.activity.waits().filter((wait) => wait.subject.startsWith('approveRoster'));
  const lines = [
    `Last approved: ${approved === null ? 'none' : formatFingerprint(approved)}`,
    ...epochs.map(
      ({ run, epoch, fingerprint, members }) =>
        `${run} epoch ${epoch}: ${formatFingerprint(fingerprint)}${members === null ? '' : ` – ${members}`}`,
    ),
    ...waits.flatMap((wait) => [wait.reason, `→ ${wait.whatToDo}`]),
  ];
  return { json: { approved, epochs, waiting: waits }, text: lines.join('\n') };
}
