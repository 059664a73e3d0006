import { join } from 'node:path';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import type { Decision } from '../journal/approvals.repository.js';
import type { Journal } from '../journal/journal.js';
import type { RunRecord } from '../journal/runs.repository.js';
import { readPlan } from '../policy/plan.policy.js';
import { sitePolicy } from '../policy/policy.file.js';
import { policyRefusal } from '../policy/site.refusal.js';
import { printableLines } from '../printable.text.js';
import { judgeRequest } from '../rounds/policy.gate.js';
import { sitesInRun } from '../rounds/run.sites.js';
import { requireOpen } from '../status/run.standing.js';
import type { Answer } from './command.output.js';
import { announcedRun } from './plan.show.js';

export interface DecisionInput {
  folder: string;
  plan: string;
  ordinal?: number;
  reason?: string;
  policyFile?: string;
}

/** A decision is about one run: plan, ordinal and, once announced, the exact site list. */
export function decidePlan(journal: Journal, input: DecisionInput, decision: 'approved' | 'rejected'): Answer {
  const { plan, ordinal: wanted, reason = '' } = input;
  const runs = journal.runs.all().filter((run) => run.plan === plan);
  const run = runToDecide(journal, runs, wanted, decision);
  requireOpen(journal, run ?? runs.find((other) => other.ordinal === (wanted ?? 1)));
  const ordinal = wanted ?? run?.ordinal ?? 1;
  if (decision === 'approved' && run !== undefined) requireAllowed(journal, input, run);
  const objects = new ObjectCache(join(input.folder, 'objects'));
  const earlier = runs
    .filter((other) => other.ordinal < ordinal)
    .map((other) => ({ ordinal: other.ordinal, sites: sitesInRun({ journal, objects }, other) }));
  const sites = run === undefined ? 'the sites it is announced with' : run.sites.join(', ');
  // On the screen before anything is recorded: a decision counts from the moment it stands in the journal.
  if (run !== undefined) {
    const lists = [`Run ${ordinal} of plan ${plan} has the sites ${sites}.`, ...earlier.map(describeEarlier)];
    process.stderr.write(`${printableLines(lists.join('\n'))}\n`);
  }
  journal.approvals.decidePlan(plan, ordinal, decision, run?.sites, { reason });
  return {
    json: {
      plan,
      ordinal,
      decision,
      sites: run?.sites ?? null,
      earlier,
    },
    text: `Run ${ordinal} of plan ${plan} is ${decision} for ${sites}.`,
  };
}

/** Takes the consent to a run back. It goes on without this site's data, where enough others contribute. */
export function withdrawPlan(journal: Journal, { plan, ordinal: wanted, reason = '' }: DecisionInput): Answer {
  const running = journal.runs.all().filter((run) => run.plan === plan && run.state === 'approved');
  if (wanted === undefined && running.length > 1)
    throw new AgentError(
      'not-approved',
      `Runs ${running.map(({ ordinal }) => ordinal).join(' and ')} of this plan are approved here. Say which one with --ordinal.`,
    );
  const run = announcedRun(journal, plan, wanted ?? running[0]?.ordinal);
  const { ordinal, sites, state } = run;
  if (state === 'asked')
    throw new AgentError(
      'not-approved',
      `Run ${ordinal} of plan ${plan} is not approved here, so there is nothing to withdraw. To refuse it: coferment-agent plans reject ${plan} --ordinal ${ordinal}`,
    );
  if (state !== 'approved')
    throw new AgentError(
      'run-closed',
      `Run ${ordinal} of plan ${plan} is over for this site (${run.detail}); nothing is contributed to it any more.`,
    );
  journal.approvals.decidePlan(plan, ordinal, 'withdrawn', sites, { reason });
  return {
    json: { plan, ordinal, run: run.run, decision: 'withdrawn', sites, reason },
    text: [
      `The consent to ${run.run} is withdrawn. From the next round on this site contributes nothing to it, and says so to the operator.`,
      'Sums that are frozen with its update in them are still opened, and it goes on to sign and to open for the others, who depend on it: that needs keys and no data.',
      'What was summed before stays in the model and in the ledger.',
      `To consent again: coferment-agent plans approve ${plan} --ordinal ${ordinal}`,
    ].join('\n'),
  };
}

/** The run that waits for a decision; for an approval also one whose consent was withdrawn; undefined where none is announced yet. */
function runToDecide(journal: Journal, runs: readonly RunRecord[], wanted: number | undefined, decision: Decision): RunRecord | undefined {
  const matching = runs.filter((run) => wanted === undefined || run.ordinal === wanted);
  const asked = matching.filter((run) => run.state === 'asked');
  const withdrawn = matching.filter(
    (run) => run.state === 'approved' && journal.approvals.latestDecision(run.plan, run.ordinal)?.decision === 'withdrawn',
  );
  const open = decision === 'approved' ? [...asked, ...withdrawn] : asked;
  if (open.length > 1) {
    throw new AgentError(
      'not-approved',
      `Runs ${open.map((run) => run.ordinal).join(' and ')} of this plan wait for a decision. Say which one with --ordinal.`,
    );
  }
  const running = matching.find((run) => run.state === 'approved');
  if (decision === 'rejected' && open[0] === undefined && running !== undefined)
    throw new AgentError(
      'not-approved',
      `Run ${running.ordinal} of this plan is approved already. To take that back from the next round on: coferment-agent plans withdraw ${running.plan} --ordinal ${running.ordinal}`,
    );
  return open[0];
}

/** A person stands below the rules: to allow what they refuse, the file has to be changed, and so be seen by whoever looks after it. */
function requireAllowed(journal: Journal, { folder, policyFile }: DecisionInput, run: RunRecord): void {
  const objects = new ObjectCache(join(folder, 'objects'));
  const bytes = objects.read(run.plan);
  // Not downloaded yet: the rules are asked when it is.
  if (bytes === undefined) return;
  const { results } = judgeRequest({ journal, objects, policy: sitePolicy(folder, policyFile) }, run, readPlan(bytes));
  const refusal = policyRefusal(`the run ${run.run} of plan ${run.plan}`, results);
  if (refusal !== undefined) throw refusal;
}

function describeEarlier({ ordinal, sites }: Pick<RunRecord, 'ordinal' | 'sites'>): string {
  return `Note: run ${ordinal} of this plan had the sites ${sites.join(', ')}. Where site lists differ, the difference of two results can tell about the sites in one list only.`;
}
