import type { DsseEnvelope } from '@coferment/crypto';
import { ConsortiumError, type ProtocolRefusal } from '../errors/index.js';
import { type Roster, epochSites, identityKeyOf } from '../roster/index.js';
import { type Statement, type SumKind, openStatement, peekStatement } from '../statements/index.js';
import { type NonceEntry, freezeContext, setDigest } from './context.js';

/** Where a sum stands: every signature in it is over all of these. */
export interface SumPosition {
  consortium: string;
  run: string;
  epoch: number;
  e: string;
  kind: SumKind;
  sum: number;
  attempt: number;
}

export interface FrozenSet {
  /** Sorted site ids: the set A. */
  sites: string[];
  /** H(A). */
  set: string;
  t: string;
  contributions: Statement<'contribution'>[];
}

/**
 * The list that K is made of (R2): sorted, distinct, sites of the epoch only. With `own`, the caller's nonce must be
 * there exactly once under its own id; a list that doubles it or files it under another id was made to reuse a_b.
 */
export function checkNonceList(roster: Roster, nonces: readonly NonceEntry[], own?: { site: string; nonce: string }): void {
  const allowed = new Set(epochSites(roster));
  nonces.forEach((entry, position) => {
    const previous = nonces[position - 1];
    if (previous !== undefined && previous.site >= entry.site)
      throw mismatch('list-unordered', `the nonce list is not sorted or names "${entry.site}" twice`);
    if (!allowed.has(entry.site))
      throw mismatch('not-in-epoch', `the nonce list names "${entry.site}", which is not a site of this key epoch`);
  });
  if (new Set(nonces.map((entry) => entry.nonce)).size !== nonces.length)
    throw mismatch('nonce-doubled', 'the nonce list holds one nonce twice');
  if (own === undefined) return;
  const mine = nonces.find((entry) => entry.site === own.site);
  if (mine === undefined) throw mismatch('own-nonce-absent', `this site, "${own.site}", is not on the nonce list`);
  if (mine.nonce !== own.nonce)
    throw mismatch('own-nonce-changed', `the nonce under "${own.site}" is not the one this site drew for this attempt`);
}

/**
 * R5's checks before anything is signed or released: A within the epoch and the nonce list, large enough, no duplicate,
 * every upload signature valid under exactly this K. Returns T and A, rebuilt from the parts.
 */
export function checkFreeze(input: {
  roster: Roster;
  position: SumPosition;
  k: string;
  nonces: readonly NonceEntry[];
  minContributors: number;
  contributions: readonly DsseEnvelope[];
}): FrozenSet {
  const { roster, position, k } = input;
  const listed = new Set(input.nonces.map((entry) => entry.site));
  const contributions = input.contributions.map((envelope) => {
    const claimed = peekStatement(envelope);
    if (claimed.name !== 'contribution') throw mismatch('wrong-act', `a ${claimed.name} stands where an upload signature belongs`);
    const { site } = claimed.predicate;
    if (!listed.has(site)) throw mismatch('counted-unlisted', `"${site}" is counted but has no nonce in this attempt`);
    const statement = openStatement('contribution', envelope, identityKeyOf(roster, site));
    requireSum(statement.predicate, position);
    if (statement.predicate.attempt !== position.attempt)
      throw mismatch('other-attempt', `the upload of "${site}" is for attempt ${statement.predicate.attempt}`);
    if (statement.predicate.k !== k) throw mismatch('other-k', `the upload of "${site}" was signed under another K`);
    return statement;
  });
  const sites = contributions.map((statement) => statement.predicate.site);
  requireSet(roster, sites, position.kind, input.minContributors);
  const counted = contributions.map(({ predicate }) => ({ site: predicate.site, merkleRoot: predicate.merkleRoot }));
  return { sites, set: setDigest(sites), t: freezeContext(k, counted), contributions };
}

/** `confirm` alone may open a set of one, because members rebuild its context themselves (S4). */
function requireSet(roster: Roster, sites: readonly string[], kind: SumKind, minContributors: number): void {
  const allowed = new Set(epochSites(roster));
  sites.forEach((site, position) => {
    const previous = sites[position - 1];
    if (previous !== undefined && previous >= site)
      throw mismatch('set-unordered', `the counted set is not sorted or counts "${site}" twice`);
    if (!allowed.has(site)) throw mismatch('not-in-epoch', `"${site}" is counted but is not a site of this key epoch`);
  });
  if (kind === 'confirm') {
    if (sites.length !== 1) throw mismatch('confirm-set', `a confirm sum is over one site, not ${sites.length}`);
  } else if (sites.length < minContributors) {
    throw mismatch('set-too-small', `only ${sites.length} sites are counted; the approved plan requires ${minContributors}`);
  }
}

/**
 * A certificate (R5): at least ρ attestations of different sites over exactly this T. Every site of the run may attest,
 * also one that is left out of this epoch.
 */
export function checkCertificate(input: {
  roster: Roster;
  position: SumPosition;
  k: string;
  t: string;
  set: string;
  modelIn: string;
  attestations: readonly DsseEnvelope[];
}): { site: string; attestation: string }[] {
  const { roster, position } = input;
  const signers = new Map<string, string>();
  for (const envelope of input.attestations) {
    const claimed = peekStatement(envelope);
    if (claimed.name !== 'attestation') throw mismatch('wrong-act', `a ${claimed.name} stands where an attestation belongs`);
    const { site } = claimed.predicate;
    if (signers.has(site)) throw mismatch('attested-twice', `"${site}" attests twice in one certificate`);
    const { predicate, digest } = openStatement('attestation', envelope, identityKeyOf(roster, site));
    const inPlace =
      predicate.consortium === position.consortium &&
      predicate.run === position.run &&
      predicate.epoch === position.epoch &&
      predicate.e === position.e &&
      predicate.kind === position.kind;
    if (!inPlace) throw mismatch('other-position', `the attestation of "${site}" is for another run, epoch or kind of sum`);
    const entry = predicate.sums.find((candidate) => candidate.sum === position.sum);
    const same =
      entry !== undefined && entry.k === input.k && entry.t === input.t && entry.set === input.set && entry.modelIn === input.modelIn;
    if (!same) throw mismatch('other-freeze', `the attestation of "${site}" is over another T for sum ${position.sum}`);
    signers.set(site, digest);
  }
  if (signers.size < roster.numbers.rho) {
    throw mismatch(
      'certificate-short',
      `the certificate has ${signers.size} attestations; ${roster.numbers.rho} sites must attest before anything is opened`,
    );
  }
  return [...signers].map(([site, attestation]) => ({ site, attestation })).sort((a, b) => (a.site < b.site ? -1 : 1));
}

/** A share statement must be over this K and T and from a key holder of the epoch (R6). */
export function checkShareStatement(
  roster: Roster,
  position: SumPosition,
  k: string,
  t: string,
  envelope: DsseEnvelope,
): Statement<'share'> {
  const claimed = peekStatement(envelope);
  if (claimed.name !== 'share') throw mismatch('wrong-act', `a ${claimed.name} stands where a decryption share belongs`);
  const { site } = claimed.predicate;
  if (!roster.keyHolders.some((holder) => holder.site === site))
    throw mismatch('not-a-holder', `"${site}" sends a decryption share but holds no key`);
  const statement = openStatement('share', envelope, identityKeyOf(roster, site));
  requireSum(statement.predicate, position);
  if (statement.predicate.k !== k || statement.predicate.t !== t)
    throw mismatch('other-freeze', `the decryption share of "${site}" is for another K or T`);
  return statement;
}

function requireSum(
  predicate: { consortium: string; run: string; e: string; kind: SumKind; sum: number; site: string },
  position: SumPosition,
): void {
  const inPlace =
    predicate.consortium === position.consortium &&
    predicate.run === position.run &&
    predicate.e === position.e &&
    predicate.kind === position.kind &&
    predicate.sum === position.sum;
  if (!inPlace)
    throw mismatch('other-position', `a signature of "${predicate.site}" is for another run, epoch, kind or sum than sum ${position.sum}`);
}

function mismatch(code: ProtocolRefusal, reason: string): ConsortiumError {
  return new ConsortiumError(code, `Refused: ${reason}. Nothing was signed or sent.`);
}
