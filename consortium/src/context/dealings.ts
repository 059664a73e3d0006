import type { DsseEnvelope } from '@coferment/crypto';
import { ConsortiumError, type ProtocolRefusal } from '../errors/index.js';
import { type Roster, epochSites, identityKeyOf } from '../roster/index.js';
import { type Statement, openStatement, peekStatement } from '../statements/index.js';
import { type DealingReference, epochContext } from './context.js';

export interface EpochPosition {
  consortium: string;
  run: string;
  epoch: number;
  e0: string;
}

/** A dealing that is signed by its dealer for exactly this epoch and has one commitment and one box for each key holder (S2). */
export function checkDealingStatement(roster: Roster, position: EpochPosition, envelope: DsseEnvelope): Statement<'dealing'> {
  const claimed = peekStatement(envelope);
  if (claimed.name !== 'dealing') throw refuse('wrong-act', `a ${claimed.name} stands where a dealing belongs`);
  const { site } = claimed.predicate;
  if (!epochSites(roster).includes(site)) throw refuse('not-in-epoch', `"${site}" deals but is not a site of this key epoch`);
  const statement = openStatement('dealing', envelope, identityKeyOf(roster, site));
  requireEpoch(statement.predicate, position, site);
  const holders = roster.keyHolders.map((holder) => holder.site);
  if (statement.predicate.commitments.length !== holders.length) {
    throw refuse(
      'dealing-incomplete',
      `the dealing of "${site}" has ${statement.predicate.commitments.length} commitments for ${holders.length} key holders`,
    );
  }
  const boxes = statement.predicate.boxes.map((box) => box.holder);
  if (boxes.length !== holders.length || boxes.some((holder, index) => holder !== holders[index])) {
    throw refuse('dealing-incomplete', `the dealing of "${site}" does not have one box for each key holder, in order`);
  }
  return statement;
}

/**
 * Before E is signed (S3): one dealing of every site of the epoch, in order, and for each the acknowledgement of all m
 * key holders over exactly that dealing. Returns E.
 */
export function checkEpoch(input: {
  roster: Roster;
  position: EpochPosition;
  dealings: readonly DsseEnvelope[];
  acknowledgements: readonly DsseEnvelope[];
}): { e: string; dealings: DealingReference[] } {
  const { roster, position } = input;
  const dealings = input.dealings.map((envelope) => {
    const statement = checkDealingStatement(roster, position, envelope);
    return { site: statement.predicate.site, dealing: statement.digest };
  });
  const sites = epochSites(roster);
  if (dealings.length !== sites.length || dealings.some((entry, index) => entry.site !== sites[index])) {
    throw refuse('dealings-incomplete', `it must have exactly one dealing of each of its ${sites.length} sites, in order`);
  }
  const acknowledged = new Set<string>();
  for (const envelope of input.acknowledgements) {
    const claimed = peekStatement(envelope);
    if (claimed.name !== 'dealing-ack') throw refuse('wrong-act', `a ${claimed.name} stands where an acknowledgement belongs`);
    const { site } = claimed.predicate;
    const { predicate } = openStatement('dealing-ack', envelope, identityKeyOf(roster, site));
    requireEpoch(predicate, position, site);
    const dealing = dealings.find((entry) => entry.site === predicate.dealer);
    if (dealing?.dealing !== predicate.dealing)
      throw refuse('other-dealing', `"${site}" acknowledged another dealing of "${predicate.dealer}"`);
    acknowledged.add(`${predicate.dealer}/${site}`);
  }
  for (const dealer of sites) {
    for (const holder of roster.keyHolders) {
      if (!acknowledged.has(`${dealer}/${holder.site}`))
        throw refuse('acknowledgement-missing', `key holder "${holder.site}" has not acknowledged the dealing of "${dealer}"`);
    }
  }
  return { e: epochContext(position.e0, dealings, roster.leftOut), dealings };
}

function requireEpoch(
  predicate: { consortium: string; run: string; epoch: number; e0: string },
  position: EpochPosition,
  site: string,
): void {
  const inPlace =
    predicate.consortium === position.consortium &&
    predicate.run === position.run &&
    predicate.epoch === position.epoch &&
    predicate.e0 === position.e0;
  if (!inPlace) throw refuse('other-position', `a signature of "${site}" is for another run or key epoch`);
}

function refuse(code: ProtocolRefusal, reason: string): ConsortiumError {
  return new ConsortiumError(code, `The key epoch is refused: ${reason}. Nothing was signed.`);
}
