import type { FrozenSum, SumName } from '@coferment/proto';
import { toWire } from '../agent-port/envelope.codec.js';
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
  return { name: sumName(round), nonces: round.nonces, contributions, newSet: [] };
}
