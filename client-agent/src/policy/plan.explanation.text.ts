import { renderCheck } from '../data/index.js';
import type { EarlierRun, PlanExplanation, UsedVariable } from './plan.explanation.js';
import { verdictLines } from './policy.text.js';

const several = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** A run of a plan for whoever has to decide about it: a process engineer, not a cryptographer. */
export function planText(explanation: PlanExplanation): string {
  return [
    `Plan "${explanation.name}", run ${explanation.run} (ordinal ${explanation.ordinal}, ${stateText(explanation)})`,
    `Digest ${explanation.plan}`,
    ...section('What is learnt', learnt(explanation)),
    ...section('From which of your data', data(explanation)),
    ...section('What leaves this site', leaving(explanation)),
    ...section('Who takes part', takingPart(explanation)),
    ...section('How private it is', privacy(explanation)),
    ...section('When a round comes about', quorum(explanation)),
    ...section(`What the rules of this site say (${explanation.policy.file ?? 'no policy file'})`, rules(explanation)),
    '',
    closing(explanation),
    ...(explanation.data === null ? [] : ['', renderCheck(explanation.data).trimEnd()]),
  ].join('\n');
}

function stateText({ state, decided }: PlanExplanation): string {
  const by = decided === null ? '' : `, ${decided.decision} by ${decided.decidedBy === 'policy' ? 'the policy' : 'a person'}`;
  return `${state} here${by}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', title, ...lines.map((line) => `  ${line}`)];
}

function learnt({ predicts, inputs, model, rounds }: PlanExplanation): string[] {
  return [
    `A ${model.kind} model with ${several(model.parameters, 'number')} that predicts ${predicts.variable} (${predicts.unit}) from ${several(inputs.length, 'variable')}.`,
    `It is trained in ${several(rounds, 'round')}; this site computes its update of each from its own records.`,
  ];
}

function data({ predicts, inputs, data: check }: PlanExplanation): string[] {
  const used = [...inputs.map((input) => usedLine('reads', input)), usedLine('predicts', predicts)];
  if (check === null) {
    return [...used, 'To see your columns, batches and rows: add --mapping mapping.yaml --records /path/to/records'];
  }
  const batches = check.batches.filter(({ part }) => part !== 'unused');
  return [
    ...used,
    `${several(batches.length, 'batch', 'batches')} of ${check.batches.length} would be used: ${several(check.trainRows, 'row')} to train on, ${check.holdoutRows} held out to test on. Details are below.`,
  ];
}

function usedLine(verb: string, { variable, unit, low, high, columns }: UsedVariable): string {
  const range = `${variable} (${unit}, public range ${low} to ${high})`;
  if (columns === null) return `${verb} ${range}`;
  if (columns.length === 0) return `${verb} ${range}: NOT in your mapping`;
  return `${verb} ${range}: your ${columns.map(({ source, column, unit: own }) => `column "${column}" of ${source} (${own})`).join(', ')}`;
}

function leaving({ leaves, leavesBytes }: PlanExplanation): string[] {
  const width = Math.max(...leaves.map(({ name }) => name.length));
  return [
    'No record and no row, in any form. In the whole run, if this site is a key holder and nothing has to be repeated:',
    ...leaves.map(({ name, bytes, times }) => `${name.padEnd(width)}  ${times} × ${bytes.toLocaleString('en')} bytes`),
    `Together ${leavesBytes.toLocaleString('en')} bytes. What has left is listed by: coferment-agent status`,
  ];
}

function takingPart({ sites, earlier }: PlanExplanation): string[] {
  return [
    `${several(sites.length, 'site')}: ${sites.join(', ')}`,
    ...(earlier.length === 0 ? ['No run was approved here before.'] : earlier.map(earlierLine)),
  ];
}

function earlierLine({ run, samePlan, added, gone }: EarlierRun): string {
  const which = `${run}${samePlan ? ' of this plan' : ''}`;
  if (added.length + gone.length === 0) return `the same sites as in ${which}`;
  const changes = [
    ...(added.length === 0 ? [] : [`it had not ${added.join(', ')}`]),
    ...(gone.length === 0 ? [] : [`it also had ${gone.join(', ')}`]),
  ];
  const warning = samePlan ? ' The difference of the two results can tell about the sites in one list only.' : '';
  return `OTHER SITES than in ${which}: ${changes.join('; ')}.${warning}`;
}

function privacy({ numbers: { c, m, tau, minContributors }, weighting }: PlanExplanation): string[] {
  return [
    `Your update leaves encrypted. Nobody, the operator included, can read it alone, nor can the operator together with up to ${several(c, 'site')} (collusion bound c = ${c}).`,
    `${several(m, 'site')} hold shares of the key; ${tau} of them open a sum, and ${tau} of them together with the operator could open single updates.`,
    `Only sums over at least ${minContributors} sites are opened. Every member sees these sums: the mean update, the total weight, held-out rows and their error.`,
    ...(weighting === 'equal' ? [] : ['Sites are weighted by their number of rows, so the sums also tell the total number of rows.']),
    'Differential privacy is off: nothing bounds what the sums themselves tell. Where the set of sites changes by one from one round to the next, the difference',
    "of two sums shows that site's weight and held-out rows exactly and, where a round moves the model only a little, much of its update.",
  ];
}

function quorum({ numbers: { n, rho, minContributors }, quorum: { waitFor, deadline, onDeadline } }: PlanExplanation): string[] {
  const late = {
    'proceed-with-quorum': `then it goes on with those that are there, if they are at least ${minContributors}`,
    wait: 'then it goes on waiting',
    abandon: 'then the round is given up',
  }[onDeadline];
  return [
    `A round waits for ${waitFor === 'all' ? `all ${n} sites` : `${waitFor} of ${n} sites`}, ${deadline} at most; ${late ?? onDeadline}.`,
    `${rho} of ${n} sites must sign who was counted before a sum is opened.`,
  ];
}

function rules({ policy: { verdict, results } }: PlanExplanation): string[] {
  const summary = {
    approve: 'Every rule holds, and the policy says that this is enough: it is approved without a person.',
    ask: 'No rule refuses it; a person decides.',
    refuse: 'It is REFUSED, and no approval changes that: the policy file would have to be changed first.',
  }[verdict];
  return [...verdictLines(results), summary];
}

function closing({ policy, approveWith, plan, ordinal, state, decided }: PlanExplanation): string {
  if (state === 'closed' || state === 'dead') return 'This run is over for this site; nothing is to be decided any more.';
  if (policy.verdict === 'refuse') return 'Nothing is to be approved. See the rules: coferment-agent policy show';
  if (decided?.decision === 'withdrawn') return `The consent is withdrawn. To consent again: ${approveWith} --data …`;
  if (state === 'approved')
    return `To take the consent back from the next round on: coferment-agent plans withdraw ${plan} --ordinal ${ordinal} --data …`;
  return `To approve it: ${approveWith} --data …\nTo reject it: coferment-agent plans reject ${plan} --ordinal ${ordinal} --data …`;
}
