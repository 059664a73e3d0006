import { type Roster, epochZero, formatFingerprint, rosterBytes, rosterFingerprint } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import { ObjectService } from '../objects/object.service.js';
import { confirmRounds } from '../rounds/round.opening.js';
import { RunChanges } from '../runs/run.changes.js';
import { RunRepository } from '../runs/run.repository.js';
import type { RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { agreedEpoch } from './epoch-act.rules.js';
import { epochPosition, present } from '../runs/run.view.js';

/** Takes a key epoch from the first sealing key to E. Each method is one transaction. */
@Injectable()
export class EpochService {
  constructor(
    private readonly changes: RunChanges,
    private readonly repository: RunRepository,
    private readonly objects: ObjectService,
  ) {}

  /** The run goes on among these sites, as if it had been launched for them: nothing but approvals was signed in it. */
  narrow(view: RunView, { sites, notApproved, roster }: { sites: string[]; notApproved: string[]; roster: Roster }): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      Object.assign(change.run, { sites, notApproved });
      await this.repository.saveEpoch(change.manager, { ...view.epoch, roster, fingerprint: rosterFingerprint(roster) });
      await change.note('note', {
        text: `The time for approvals is over. The run goes on among ${sites.join(', ')}, without ${notApproved.join(', ')}.`,
      });
    });
  }

  /** With every site's approval in the ledger the run is opened there, and its key epoch starts. */
  start(view: RunView): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const { run, plan, ordinal, sites } = view.run;
      await change.sign('run-opened', slots.ofRun(), { consortium: view.consortium, run, plan, ordinal, sites });
      await change.move('start-epoch', 'All sites approved the plan; the key epoch starts.');
    });
  }

  /** S1: with all sealing keys the roster is whole, and E0 is fixed. */
  async publishRoster(view: RunView): Promise<void> {
    const { run } = view;
    const { epoch } = view.epoch;
    const sealingKeys = view.acts
      .inSlot('sealing-key', slots.ofEpoch(epoch))
      .map(({ site, predicate, envelope }) => ({ site, key: predicate.key, envelope }));
    const roster: Roster = { ...view.epoch.roster, sealingKeys };
    const bytes = rosterBytes(roster);
    await this.objects.publish(bytes);
    const rosterDigest = sha256Hex(bytes);
    const e0 = epochZero({ consortium: view.consortium, run: run.run, ordinal: run.ordinal, epoch, plan: run.plan, roster: rosterDigest });
    await this.changes.apply(run.run, run.version, async (change) => {
      await this.repository.saveEpoch(change.manager, { ...view.epoch, roster, rosterDigest, e0 });
      await change.note('note', {
        text: `The roster of key epoch ${epoch} is published. Compare its fingerprint outside this channel: ${formatFingerprint(view.epoch.fingerprint)} (coferment roster show ${run.run}).`,
      });
    });
  }

  /** S3: E, signed by every site, goes into the ledger, and the confirm sums open (S4). */
  seal(view: RunView): Promise<void> {
    const { e, dealings } = agreedEpoch(view);
    const { epoch, roster, rosterDigest, renewal } = view.epoch;
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      await change.sign('key-epoch', slots.ofEpoch(epoch), {
        consortium: view.consortium,
        run: view.run.run,
        epoch,
        roster: present(rosterDigest, 'the roster'),
        e0: epochPosition(view).e0,
        e,
        numbers: roster.numbers,
        keyHolders: roster.keyHolders.map((holder) => holder.site),
        dealings,
        leftOut: roster.leftOut,
        ...(renewal === null ? {} : { renewal }),
      });
      const agreed = { ...view.epoch, e };
      await this.repository.saveEpoch(change.manager, agreed);
      await change.note('note', { text: `Key epoch ${epoch} is agreed by all sites; every key is now confirmed by one encrypted sum.` });
      for (const round of confirmRounds({ ...view, epoch: agreed }, change.nowMs)) await change.openRound(round);
    });
  }
}
