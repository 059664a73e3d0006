import { epochSites } from '@coferment/consortium';
import { type RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';

/** How far a key epoch has come. */
export type EpochStage = 'offering-keys' | 'approving-roster' | 'dealing' | 'agreeing' | 'agreed';

export function epochStage(view: RunView): EpochStage {
  const { epoch } = view;
  if (epoch.rosterDigest === null) return 'offering-keys';
  if (sitesWithout(view, 'roster-approved').length > 0) return 'approving-roster';
  if (sitesWithout(view, 'dealing').length > 0 || missingAcknowledgements(view).length > 0) return 'dealing';
  return epoch.e === null ? 'agreeing' : 'agreed';
}

/** Sites of the epoch that have not signed this yet. */
export function sitesWithout(view: RunView, name: 'sealing-key' | 'roster-approved' | 'dealing' | 'epoch-agreed'): string[] {
  const slot = slots.ofEpoch(view.epoch.epoch);
  return epochSites(view.epoch.roster).filter((site) => !view.acts.has(name, site, slot));
}

/** Pairs whose holder has not acknowledged a dealing that is there. */
export function missingAcknowledgements(view: RunView): { dealer: string; holder: string }[] {
  const { epoch, roster } = view.epoch;
  return view.acts
    .inSlot('dealing', slots.ofEpoch(epoch))
    .flatMap(({ site: dealer }) =>
      roster.keyHolders
        .filter(({ site }) => !view.acts.has('dealing-ack', site, slots.ofDealing(epoch, dealer)))
        .map(({ site }) => ({ dealer, holder: site })),
    );
}
