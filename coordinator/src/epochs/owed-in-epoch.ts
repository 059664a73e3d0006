import { epochSites } from '@coferment/consortium';
import type { Instruction } from '@coferment/proto';
import { toWire } from '../agent-port/envelope.codec.js';
import { keptInstruction } from '../rounds/kept.instructions.js';
import { type RunView, present } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { epochStage } from './epoch.stage.js';

/** What a site owes before a run's first sum. */
export function owedInEpoch(view: RunView, site: string): Instruction[] {
  const { run, ordinal, plan, sites, state } = view.run;
  if (state === 'awaiting-approval') {
    if (view.acts.has('plan-approved', site, slots.ofRun())) return [];
    return [{ kind: { $case: 'approvePlan', approvePlan: { run, ordinal, plan, sites } } }];
  }
  const { epoch, roster, rosterDigest } = view.epoch;
  if (state !== 'key-ceremony' || !epochSites(roster).includes(site)) return [];
  const slot = slots.ofEpoch(epoch);
  switch (epochStage(view)) {
    case 'offering-keys':
      if (view.acts.has('sealing-key', site, slot)) return [];
      return [{ kind: { $case: 'offerSealingKey', offerSealingKey: { run, ordinal, plan, epoch } } }];
    case 'approving-roster':
      if (view.acts.has('roster-approved', site, slot)) return [];
      return [{ kind: { $case: 'approveRoster', approveRoster: { run, epoch, roster: present(rosterDigest, 'the roster') } } }];
    case 'dealing':
      return owedInDealing(view, site);
    case 'agreeing':
      return view.acts.has('epoch-agreed', site, slot) ? [] : [agreement(view)];
    case 'agreed':
      return [];
  }
}

/**
 * What a site that is left out may do: see the members, as its people approve them, and rebuild E once all others have signed it. It can then attest and
 * follow the model.
 */
export function owedToLeftOut(view: RunView, site: string): Instruction[] {
  const { run, epoch, rosterDigest, e } = view.epoch;
  if (rosterDigest === null) return [];
  if (!view.acts.has('roster-approved', site, slots.ofEpoch(epoch)))
    return [{ kind: { $case: 'approveRoster', approveRoster: { run, epoch, roster: rosterDigest } } }];
  return e === null ? [] : [agreement(view)];
}

/** The parts from which every member rebuilds E. They are all there, and stay. */
function agreement(view: RunView): Instruction {
  return keptInstruction(view, `agree ${view.epoch.epoch}`, () => partsOfEpoch(view));
}

function partsOfEpoch(view: RunView): Instruction {
  const { run, epoch } = view.epoch;
  const dealings = view.acts.inSlot('dealing', slots.ofEpoch(epoch));
  const acknowledgements = dealings.flatMap((dealing) => view.acts.inSlot('dealing-ack', slots.ofDealing(epoch, dealing.site)));
  const agreeEpoch = {
    run,
    epoch,
    dealings: dealings.map((act) => toWire(act.envelope)),
    acknowledgements: acknowledgements.map((act) => toWire(act.envelope)),
  };
  return { kind: { $case: 'agreeEpoch', agreeEpoch } };
}

function owedInDealing(view: RunView, site: string): Instruction[] {
  const { run, epoch, roster } = view.epoch;
  const slot = slots.ofEpoch(epoch);
  const own: Instruction[] = view.acts.has('dealing', site, slot) ? [] : [{ kind: { $case: 'deal', deal: { run, epoch } } }];
  if (!roster.keyHolders.some((holder) => holder.site === site)) return own;
  const unchecked = view.acts.inSlot('dealing', slot).filter((dealing) => {
    const pair = slots.ofDealing(epoch, dealing.site);
    return !view.acts.has('dealing-ack', site, pair) && !view.acts.has('dealing-refused', site, pair);
  });
  return [
    ...own,
    ...unchecked.map((act): Instruction => ({
      kind: { $case: 'checkDealing', checkDealing: { run, epoch, dealing: toWire(act.envelope) } },
    })),
  ];
}
