import { type Statement, checkShareStatement, setDigest } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import { CoordinatorError, type CoordinatorErrorCode } from '../errors/index.js';
import { blocksOf } from '../objects/object-size.rule.js';
import { type RunView, present, sitesOf, sumPosition } from '../runs/run.view.js';
import { stuckAt } from '../runs/shortfall.rule.js';
import { slots } from '../runs/slot.names.js';
import type { RoundRow } from './round.entity.js';

export type RoundAct = Statement<'nonce' | 'attempt-declined' | 'contribution' | 'attestation' | 'share'>;

const COLLECTING = ['training', 'ready', 'stalled'];
/** T is fixed, for ever. Who is slow may still sign it: it is stored and shown, it just changes nothing any more. */
const FROZEN = ['attesting', 'decrypting', 'garbled', 'applying', 'closed', 'stuck'];
/** A share that comes after a first try may show whose share spoilt it. */
const CERTIFIED = ['decrypting', 'garbled', 'applying', 'closed'];

/** Whether an act of a sum is due now and is over exactly what it must be. Returns its slot. @throws CoordinatorError */
export function admitRoundAct(view: RunView, statement: RoundAct, envelope: DsseEnvelope): string {
  switch (statement.name) {
    case 'nonce': {
      const round = openRound(view, statement, COLLECTING);
      requireAttempt(round, statement.predicate.attempt, statement);
      requireMember(view, round, statement);
      requireSame(statement.predicate.i === round.i, 'other-input', statement, 'I: it started from another plan, model or range');
      return slots.ofAttempt(round.sum, round.attempt);
    }
    case 'attempt-declined': {
      const round = openRound(view, statement, [...COLLECTING, 'uploading']);
      requireAttempt(round, statement.predicate.attempt, statement);
      requireMember(view, round, statement);
      return slots.ofAttempt(round.sum, round.attempt);
    }
    case 'contribution': {
      const round = openRound(view, statement, ['uploading']);
      const { attempt, k, blocks, droppedBits, ranges, site } = statement.predicate;
      requireAttempt(round, attempt, statement);
      requireSame(
        round.nonces.some((entry) => entry.site === site),
        'counted-unlisted',
        statement,
        'list: this site has no nonce on it',
      );
      requireSame(k === round.k, 'other-k', statement, 'K');
      requireSame(ranges === round.ranges, 'upload-format', statement, 'set of ranges');
      const { parameters } = view.epoch.roster;
      requireSame(
        blocks === blocksOf(view, round) && droppedBits === parameters.droppedBits,
        'upload-format',
        statement,
        'number of blocks or dropped bits',
      );
      return slots.ofAttempt(round.sum, round.attempt);
    }
    case 'attestation':
      return admitAttestation(view, statement);
    case 'share': {
      const round = openRound(view, statement, CERTIFIED, (stopped) => stopped.state === 'stuck' && stuckAt(stopped) === 'decrypting');
      checkShareStatement(view.epoch.roster, sumPosition(view, round), present(round.k, 'K'), present(round.t, 'T'), envelope);
      requireSame(statement.predicate.blocks === blocksOf(view, round), 'upload-format', statement, 'number of blocks');
      return slots.ofSum(round.sum);
    }
  }
}

function admitAttestation(view: RunView, statement: Statement<'attestation'>): string {
  const { epoch, e, kind, site, sums } = statement.predicate;
  requireSame(epoch === view.epoch.epoch && e === view.epoch.e, 'other-epoch', statement, 'epoch');
  const expected =
    kind === 'confirm'
      ? view.rounds.filter((round) => round.kind === 'confirm' && round.epoch === epoch)
      : view.rounds.filter((round) => round.sum === sums[0]?.sum);
  requireSame(expected.length === sums.length && view.run.sites.includes(site), 'other-position', statement, 'list of sums');
  for (const [index, round] of expected.entries()) {
    const entry = sums[index];
    if (!FROZEN.includes(round.state)) throw notOwed(statement, round);
    const same =
      entry?.sum === round.sum && round.kind === kind && entry.k === round.k && entry.t === round.t && entry.modelIn === round.modelIn;
    requireSame(same && entry.set === setDigest(round.counted), 'other-freeze', statement, `T of sum ${round.sum}`);
  }
  return slots.ofAttestation(kind, epoch, present(expected[0], 'a sum').sum);
}

/** The round of a statement, when it is in one of the states. */
function openRound(
  view: RunView,
  statement: Exclude<RoundAct, { name: 'attestation' }>,
  states: readonly string[],
  orElse: (round: RoundRow) => boolean = () => false,
): RoundRow {
  const { sum, kind, e } = statement.predicate;
  const round = view.rounds.find((candidate) => candidate.sum === sum);
  requireSame(round !== undefined && round.kind === kind && e === view.epoch.e, 'other-position', statement, 'run, epoch or kind of sum');
  if (!states.includes(round!.state) && !orElse(round!)) throw notOwed(statement, round!);
  return round!;
}

function requireAttempt(round: RoundRow, attempt: number, statement: RoundAct): void {
  if (attempt === round.attempt) return;
  throw new CoordinatorError(
    'not-owed',
    `The ${statement.name} of "${statement.predicate.site}" is for attempt ${attempt}; sum ${round.sum} is at attempt ${round.attempt}.`,
  );
}

function requireMember(view: RunView, round: RoundRow, statement: RoundAct): void {
  requireSame(sitesOf(view, round).includes(statement.predicate.site), 'not-in-epoch', statement, 'set of sites');
}

function notOwed(statement: RoundAct, round: RoundRow): CoordinatorError {
  return new CoordinatorError(
    'not-owed',
    `No ${statement.name} is due from "${statement.predicate.site}" for sum ${round.sum}, which is "${round.state}". Poll for what is.`,
  );
}

function requireSame(same: boolean, code: CoordinatorErrorCode, statement: RoundAct, what: string): void {
  if (same) return;
  throw new CoordinatorError(
    code,
    `The ${statement.name} of "${statement.predicate.site}" is refused: it is for another ${what}. Nothing was stored.`,
  );
}
