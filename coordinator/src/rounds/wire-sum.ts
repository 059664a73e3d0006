import type { FrozenSum, SumName } from '@coferment/proto';
import { toWire } from '../agent-port/envelope.codec.js';
import { OPERATOR } from '../runs/act.entity.js';
import { type RunView, present } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import type { RoundRow } from './round.entity.js';

/** A sum as the wire names it. */
export function sumName(round: RoundRow): SumName {
  const { run, epoch, sum, kind, attempt } = round;
  return { run, epoch, sum, kind, round: round.round, attempt };
}

/** The parts from which every member rebuilds K and T. */
export function frozenSum(view: RunView, round: RoundRow): FrozenSum {
  const slot = slots.ofAttempt(round.sum, round.attempt);
  const contributions = round.counted.map((site) => toWire(present(view.acts.find('contribution', site, slot), 'a contribution').envelope));
  return { name: sumName(round), nonces: round.nonces, contributions, newSet: approvedSet(view, round) };
}

/** The proposal, then its approvals: without them nobody signs another set than the first of a model. */
function approvedSet(view: RunView, { newSet }: RoundRow): FrozenSum['newSet'] {
  if (newSet === null) return [];
  const proposal = present(view.acts.find('new-set-proposed', OPERATOR, newSet), 'a proposal');
  return [proposal, ...view.acts.inSlot('new-set-approved', newSet)].map(({ envelope }) => toWire(envelope));
}
