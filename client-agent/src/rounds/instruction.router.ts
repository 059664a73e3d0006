import { type AgentRoundState, refusalSubjects } from '@coferment/consortium';
import type { Instruction } from '../connection/instruction.parser.js';
import { approvePlan, approveRoster, offerSealingKey } from './approval.handlers.js';
import { agreeEpoch, checkDealing, dealKey } from './ceremony.handlers.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { approveNewSet } from './new-set.handlers.js';
import { attest, releaseShare } from './opening.handlers.js';
import { passPolicy } from './policy.gate.js';
import { applySum, closeRun } from './publication.handlers.js';
import { whySigningStops } from '../witness/split.evidence.js';
import { type Outcome, type SiteContext, waiting } from './site.context.js';
import type { Lane } from './work.board.js';

/**
 * Each instruction has one handler; carrying it out twice is harmless. The rules of the site come first. Before them: a site that holds evidence against the log does
 * nothing more in any run, since what it signed could be shown to some and hidden from others.
 */
export async function carryOut(context: SiteContext, instruction: Instruction): Promise<Outcome> {
  const stop = whySigningStops(context);
  if (stop !== undefined) return waiting(stop.reason, stop.whatToDo);
  await passPolicy(context, instruction);
  switch (instruction.kind) {
    case 'approvePlan':
      return approvePlan(context, instruction.body);
    case 'offerSealingKey':
      return offerSealingKey(context, instruction.body);
    case 'approveRoster':
      return approveRoster(context, instruction.body);
    case 'deal':
      return dealKey(context, instruction.body);
    case 'checkDealing':
      return checkDealing(context, instruction.body);
    case 'agreeEpoch':
      return agreeEpoch(context, instruction.body);
    case 'prepareSum':
      return prepareSum(context, instruction.body);
    case 'encrypt':
      return encrypt(context, instruction.body);
    case 'attest':
      return attest(context, instruction.body);
    case 'releaseShare':
      return releaseShare(context, instruction.body);
    case 'applySum':
      return applySum(context, instruction.body);
    case 'closeRun':
      return closeRun(context, instruction.body);
    case 'approveNewSet':
      return approveNewSet(context, instruction.body);
  }
}

/** States in which the vector of a sum is stored, so that the sum costs no training any more. */
const TRAINED: ReadonlySet<AgentRoundState> = new Set(['trained', 'nonce-given', 'encrypted', 'uploaded'] as const);

/** Only what has to train waits for other trainings: a nonce for a stored vector, or for the constant one of a confirm sum, is given at once. */
export function laneOf({ journal }: Pick<SiteContext, 'journal'>, instruction: Instruction): Lane {
  if (instruction.kind !== 'prepareSum' || instruction.body.name.kind === 'confirm') return 'protocol';
  const { run, sum } = instruction.body.name;
  const step = journal.steps.find(run, sum);
  return step !== undefined && TRAINED.has(step.state) ? 'protocol' : 'training';
}

/** Names what an instruction is about, for waits and refusals: repetitions and new attempts replace each other. */
export function subjectOf(instruction: Instruction): string {
  switch (instruction.kind) {
    case 'approvePlan':
      return refusalSubjects.plan(instruction.body.ordinal);
    case 'offerSealingKey':
    case 'approveRoster':
    case 'deal':
    case 'agreeEpoch':
    case 'checkDealing':
      return refusalSubjects.step(instruction.kind, instruction.body.epoch);
    case 'prepareSum':
    case 'encrypt':
      return refusalSubjects.step(instruction.kind, instruction.body.name.sum);
    case 'attest':
      return refusalSubjects.step('attest', instruction.body.sums[0]?.name.sum ?? 0);
    case 'releaseShare':
    case 'applySum':
      return refusalSubjects.step(instruction.kind, instruction.body.frozen.name.sum);
    case 'closeRun':
      return 'close';
    case 'approveNewSet':
      return refusalSubjects.newSet;
  }
}
