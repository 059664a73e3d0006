import { type Statement, checkDealingStatement, epochContext } from '@coferment/consortium';
import { type DsseEnvelope, hexToBytes, sealingKeyFault } from '@coferment/crypto';
import { CoordinatorError, type CoordinatorErrorCode } from '../errors/index.js';
import { type RunView, epochPosition } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { epochStage } from './epoch.stage.js';

type EpochActName =
  | 'plan-approved'
  | 'sealing-key'
  | 'roster-approved'
  | 'dealing'
  | 'dealing-ack'
  | 'dealing-refused'
  | 'epoch-agreed'
  | 'epoch-left';
export type EpochAct = Statement<EpochActName>;

/** Whether an act of the launch or the key epoch is due now and says exactly what it must. Returns its slot. @throws CoordinatorError */
export function admitEpochAct(view: RunView, statement: EpochAct, envelope: DsseEnvelope): string {
  const { run, epoch } = view;
  if (statement.name === 'plan-approved') {
    const { plan, ordinal, sites } = statement.predicate;
    requireDue(run.state === 'awaiting-approval', statement, view);
    requireSame(
      plan === run.plan && ordinal === run.ordinal && sites.join() === run.sites.join(),
      'other-launch',
      statement,
      'plan, ordinal or sites',
    );
    return slots.ofRun();
  }
  const isLeftOut = epoch.roster.leftOut.includes(statement.predicate.site);
  const isDue = run.state === 'key-ceremony' || ((run.state === 'running' || run.state === 'stuck') && isLeftOut);
  // A site can find at any time that it was restored from a backup.
  requireDue(statement.name === 'epoch-left' ? run.state !== 'awaiting-approval' : isDue, statement, view);
  requireSame(statement.predicate.epoch === epoch.epoch, 'other-epoch', statement, `epoch ${statement.predicate.epoch}`);
  const stage = epochStage(view);
  const slot = slots.ofEpoch(epoch.epoch);
  switch (statement.name) {
    case 'epoch-left':
      return slot;
    case 'sealing-key':
      requireDue(stage === 'offering-keys' && !isLeftOut, statement, view);
      requireUsable(statement.predicate);
      return slot;
    case 'roster-approved': {
      requireDue(isLeftOut ? stage !== 'offering-keys' : stage === 'approving-roster', statement, view);
      const { roster, fingerprint, e0 } = statement.predicate;
      requireSame(
        roster === epoch.rosterDigest && fingerprint === epoch.fingerprint && e0 === epoch.e0,
        'other-epoch',
        statement,
        'roster, fingerprint or E0',
      );
      return slot;
    }
    case 'dealing':
      requireDue(stage === 'dealing', statement, view);
      checkDealingStatement(epoch.roster, epochPosition(view), envelope);
      return slot;
    case 'dealing-ack':
    case 'dealing-refused': {
      requireDue(stage === 'dealing', statement, view);
      const { site, dealer, dealing, e0 } = statement.predicate;
      requireSame(
        epoch.roster.keyHolders.some((holder) => holder.site === site),
        'not-a-holder',
        statement,
        'key holder',
      );
      const dealt = view.acts.find('dealing', dealer, slot);
      requireSame(e0 === epoch.e0 && dealt?.digest === dealing, 'other-dealing', statement, `dealing of "${dealer}"`);
      return slots.ofDealing(epoch.epoch, dealer);
    }
    case 'epoch-agreed': {
      requireDue(stage === 'agreeing' && !isLeftOut, statement, view);
      const agreed = agreedEpoch(view);
      const { e0, e, dealings, leftOut } = statement.predicate;
      const same = dealings.every(
        (entry, index) => entry.site === agreed.dealings[index]?.site && entry['dealing'] === agreed.dealings[index]?.dealing,
      );
      const whole = dealings.length === agreed.dealings.length && leftOut.join() === epoch.roster.leftOut.join();
      requireSame(e0 === epoch.e0 && e === agreed.e && same && whole, 'other-epoch', statement, 'E or dealings');
      return slot;
    }
  }
}

/** E from the dealings that every key holder has acknowledged. */
export function agreedEpoch(view: RunView): { e: string; dealings: { site: string; dealing: string }[] } {
  const acts = view.acts.inSlot('dealing', slots.ofEpoch(view.epoch.epoch));
  const dealings = acts.map(({ site, digest }) => ({ site, dealing: digest }));
  return { e: epochContext(epochPosition(view).e0, dealings, view.epoch.roster.leftOut), dealings };
}

/** Refused here, to the one who sent it: in a roster it would make every site refuse the epoch. */
function requireUsable({ site, key }: { site: string; key: string }): void {
  const fault = sealingKeyFault(hexToBytes(key));
  if (fault === undefined) return;
  throw new CoordinatorError('malformed', `The sealing key of "${site}" ${fault}. Nothing was stored; draw another one.`);
}

function requireDue(due: boolean, statement: EpochAct, view: RunView): void {
  if (due) return;
  throw new CoordinatorError(
    'not-owed',
    `No ${statement.name} is due from "${statement.predicate.site}" in run ${view.run.run}, which is "${view.run.state}". Poll for what is.`,
  );
}

function requireSame(same: boolean, code: CoordinatorErrorCode, statement: EpochAct, what: string): void {
  if (same) return;
  throw new CoordinatorError(
    code,
    `The ${statement.name} of "${statement.predicate.site}" is for another ${what} than the run has. Nothing was stored.`,
  );
}
