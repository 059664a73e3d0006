import { join } from 'node:path';
import { digestSchema, formatFingerprint } from '@coferment/consortium';
import { type Command, InvalidArgumentError } from 'commander';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import type { RunRecord } from '../journal/runs.repository.js';
import { printableLines } from '../printable.text.js';
import { renderRosters, rosterReport } from '../status/roster.report.js';
import { requireOpen, standingOf } from '../status/run.standing.js';
import { type Answer, answer } from './command.output.js';

interface DataOptions {
  data: string;
  json?: boolean;
}
interface PlanOptions extends DataOptions {
  ordinal?: number;
}

export function addApprovalCommands(program: Command): void {
  const plans = program.command('plans').description('Decide which plans may run on the data of this site');
  plans
    .command('list')
    .description('Plans that were announced, and what this site decided')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent plans list --data /var/lib/coferment')
    .action((options: DataOptions) => answer(options, () => withJournal(options, listPlans)));
  for (const decision of ['approved', 'rejected'] as const) {
    const verb = decision === 'approved' ? 'approve' : 'reject';
    plans
      .command(verb)
      .description(decision === 'approved' ? 'Let a run of a plan use the data of this site' : 'Refuse a run of a plan')
      .argument('<digest>', 'digest of the plan, 64 hex digits', parseDigest)
      .requiredOption('--data <dir>', 'data folder of this site')
      .option('--ordinal <n>', 'which run of this plan; default: the one that was announced, else the first', parseOrdinal)
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  coferment-agent plans ${verb} 5f0c… --data /var/lib/coferment`)
      .action((digest: string, options: PlanOptions) =>
        answer(options, () => withJournal(options, (journal) => decidePlan(journal, digest, decision, options.ordinal))),
      );
  }

  const roster = program.command('roster').description('Compare and approve who takes part in a key epoch');
  roster
    .command('show')
    .description('Rosters that were approved, and the one that waits: the same lines as coferment roster show has, to be compared')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent roster show --data /var/lib/coferment')
    .action((options: DataOptions) => answer(options, () => withJournal(options, (journal) => showRosters(journal, options.data))));
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
        return withJournal(options, (journal) => {
          journal.approvals.approveRoster(fingerprint);
          return { json: { fingerprint, approved: true }, text: `Approved the roster ${formatFingerprint(fingerprint)}.` };
        });
      }),
    );
}

function withJournal(options: DataOptions, work: (journal: Journal) => Answer): Answer {
  readMembership(options.data);
  const journal = Journal.open(join(options.data, 'journal.sqlite'));
  try {
    return work(journal);
  } finally {
    journal.close();
  }
}

function listPlans(journal: Journal): Answer {
  const runs = journal.runs.all().map((run) => ({ ...run, ...standingOf(journal, run) }));
  const decisions = journal.approvals.planDecisions();
  const shown = runs.map((run) => `${run.run}  plan ${run.plan}  ordinal ${run.ordinal}  ${run.standing}  sites ${run.sites.join(', ')}`);
  const early = decisions.filter((decision) => !runs.some((run) => run.plan === decision.plan && run.ordinal === decision.ordinal));
  const lines = [...shown, ...early.map(({ plan, ordinal, decision }) => `not announced yet: plan ${plan} ordinal ${ordinal} ${decision}`)];
  return { json: { runs, decisions }, text: lines.length === 0 ? 'No plan was announced yet.' : lines.join('\n') };
}

/** A decision is about one run: plan, ordinal and, once announced, the exact site list. */
function decidePlan(journal: Journal, plan: string, decision: 'approved' | 'rejected', wanted?: number): Answer {
  const runs = journal.runs.all().filter((run) => run.plan === plan);
  const asked = runs.filter((run) => run.state === 'asked' && (wanted === undefined || run.ordinal === wanted));
  if (asked.length > 1) {
    throw new AgentError(
      'not-approved',
      `Runs ${asked.map((run) => run.ordinal).join(' and ')} of this plan wait for a decision. Say which one with --ordinal.`,
    );
  }
  const [run] = asked;
  requireOpen(journal, run ?? runs.find((other) => other.ordinal === (wanted ?? 1)));
  const ordinal = wanted ?? run?.ordinal ?? 1;
  const earlier = runs.filter((other) => other.ordinal < ordinal);
  const sites = run === undefined ? 'the sites it is announced with' : run.sites.join(', ');
  // On the screen before anything is recorded: a decision counts from the moment it stands in the journal.
  if (run !== undefined) {
    const lists = [`Run ${ordinal} of plan ${plan} has the sites ${sites}.`, ...earlier.map(describeEarlier)];
    process.stderr.write(`${printableLines(lists.join('\n'))}\n`);
  }
  journal.approvals.decidePlan(plan, ordinal, decision, run?.sites);
  return {
    json: {
      plan,
      ordinal,
      decision,
      sites: run?.sites ?? null,
      earlier: earlier.map((other) => ({ ordinal: other.ordinal, sites: other.sites })),
    },
    text: `Run ${ordinal} of plan ${plan} is ${decision} for ${sites}.`,
  };
}

function describeEarlier(run: RunRecord): string {
  return `Note: run ${run.ordinal} of this plan had the sites ${run.sites.join(', ')}. Where site lists differ, the difference of two results can tell about the sites in one list only.`;
}

function showRosters(journal: Journal, folder: string): Answer {
  const report = rosterReport(journal, new ObjectCache(join(folder, 'objects')));
  return { json: report, text: renderRosters(report) };
}

function parseDigest(text: string): string {
  if (!digestSchema.safeParse(text).success) throw new InvalidArgumentError('A plan digest is 64 lower-case hexadecimal digits.');
  return text;
}

function parseOrdinal(text: string): number {
  const ordinal = Number(text);
  if (!Number.isInteger(ordinal) || ordinal < 1) throw new InvalidArgumentError('An ordinal is a whole number from 1.');
  return ordinal;
}
