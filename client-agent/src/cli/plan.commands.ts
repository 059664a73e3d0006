import { digestSchema, MAX_TEXT } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { Journal } from '../journal/journal.js';
import { planText } from '../policy/plan.explanation.text.js';
import { type Answer, answer } from './command.output.js';
import { type DecisionInput, decidePlan, withdrawPlan } from './plan.decisions.js';
import { explainRun } from './plan.show.js';
import { withJournal } from './site.journal.js';

interface DataOptions {
  data: string;
  json?: boolean;
}
interface DecisionOptions extends DataOptions {
  ordinal?: number;
  reason?: string;
  policy?: string;
}
interface ShowOptions extends DataOptions {
  ordinal?: number;
  policy?: string;
  mapping?: string;
  records?: string;
}

export function addPlanCommands(program: Command): void {
  const plans = program.command('plans').description('Decide which plans may run on the data of this site');
  plans
    .command('list')
    .description('Plans that were announced, and what this site decided')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent plans list --data /var/lib/coferment')
    .action((options: DataOptions) => answer(options, () => withJournal(options.data, listPlans)));

  onePlan(plans, 'show', 'Explain a plan in plain words: which of your data, what leaves, how private, what your rules say')
    .option('--mapping <file>', "mapping file of this site's records, to see columns, batches and rows")
    .option('--records <dir>', 'folder that the mapping reads from')
    .option('--policy <file>', 'standing rules of this site; default: policy.yaml in the data folder')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent plans show 5f0c… --data /var/lib/coferment --mapping mapping.yaml --records /data/batches',
    )
    .action((plan: string, options: ShowOptions) => answer(options, () => show(plan, options)));

  onePlan(plans, 'approve', 'Let a run of a plan use the data of this site')
    .option('--policy <file>', 'standing rules of this site; default: policy.yaml in the data folder')
    .addHelpText('after', '\nExample:\n  coferment-agent plans approve 5f0c… --data /var/lib/coferment')
    .action((plan: string, options: DecisionOptions) =>
      decision(plan, options, (journal, input) => decidePlan(journal, input, 'approved')),
    );

  onePlan(plans, 'reject', 'Refuse a run of a plan')
    .option('--reason <text>', 'why; the operator is told', parseReason)
    .addHelpText('after', '\nExample:\n  coferment-agent plans reject 5f0c… --reason "not with pH data" --data /var/lib/coferment')
    .action((plan: string, options: DecisionOptions) =>
      decision(plan, options, (journal, input) => decidePlan(journal, input, 'rejected')),
    );

  onePlan(plans, 'withdraw', 'Take the consent to a running run back: from the next round on, nothing is contributed')
    .option('--reason <text>', 'why; the operator is told', parseReason)
    .addHelpText('after', '\nExample:\n  coferment-agent plans withdraw 5f0c… --ordinal 2 --data /var/lib/coferment')
    .action((plan: string, options: DecisionOptions) => decision(plan, options, withdrawPlan));
}

function onePlan(plans: Command, verb: string, description: string): Command {
  return plans
    .command(verb)
    .description(description)
    .argument('<digest>', 'digest of the plan, 64 hex digits', parseDigest)
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--ordinal <n>', 'which run of this plan; default: the one that was announced, else the first', parseOrdinal)
    .option('--json', 'print JSON');
}

async function show(plan: string, { data: folder, ordinal, policy, mapping, records }: ShowOptions): Promise<Answer> {
  await loadCrypto();
  return withJournal(folder, async (journal) => {
    const explanation = await explainRun(journal, {
      folder,
      plan,
      ...(ordinal === undefined ? {} : { ordinal }),
      ...(policy === undefined ? {} : { policyFile: policy }),
      ...(mapping === undefined ? {} : { mappingFile: mapping }),
      ...(records === undefined ? {} : { recordsFolder: records }),
    });
    return { json: explanation, text: planText(explanation) };
  });
}

function decision(plan: string, options: DecisionOptions, work: (journal: Journal, input: DecisionInput) => Answer): Promise<void> {
  const { data: folder, ordinal, reason, policy } = options;
  const input: DecisionInput = {
    folder,
    plan,
    ...(ordinal === undefined ? {} : { ordinal }),
    ...(reason === undefined ? {} : { reason }),
    ...(policy === undefined ? {} : { policyFile: policy }),
  };
  return answer(options, () => withJournal(folder, (journal) => work(journal, input)));
}

function listPlans(journal: Journal): Answer {
  const runs = journal.runs.all();
  const decisions = journal.approvals.planDecisions();
  const shown = runs.map((run) => {
    const decided = decisions.find(({ plan, ordinal }) => plan === run.plan && ordinal === run.ordinal);
    const by = decided === undefined ? '' : `, ${decided.decision} by ${decided.decidedBy === 'policy' ? 'the policy' : 'a person'}`;
    return `${run.run}  plan ${run.plan}  ordinal ${run.ordinal}  ${run.state}${by}  sites ${run.sites.join(', ')}`;
  });
  const early = decisions.filter((made) => !runs.some((run) => run.plan === made.plan && run.ordinal === made.ordinal));
  const lines = [
    ...shown,
    ...early.map(({ plan, ordinal, decision: made }) => `not announced yet: plan ${plan} ordinal ${ordinal} ${made}`),
  ];
  return { json: { runs, decisions }, text: lines.length === 0 ? 'No plan was announced yet.' : lines.join('\n') };
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

function parseReason(text: string): string {
  if (text.length > MAX_TEXT) throw new InvalidArgumentError(`A reason has at most ${MAX_TEXT} characters.`);
  return text;
}
