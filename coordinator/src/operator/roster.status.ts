import { rosterBytes } from '@coferment/consortium';
import { RosterStatus } from '@coferment/proto';
import type { RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';

/** The rosters of a run, epoch by epoch, with who has approved each. */
export function rosterStatus(view: RunView): RosterStatus[] {
  return [...view.earlierEpochs, view.epoch].map(({ epoch, roster, rosterDigest }) =>
    RosterStatus.fromPartial({
      epoch,
      roster: Buffer.from(rosterBytes(roster)),
      published: rosterDigest !== null,
      approved: view.acts.inSlot('roster-approved', slots.ofEpoch(epoch)).map(({ site }) => site),
    }),
  );
}
