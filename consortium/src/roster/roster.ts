import { type AggregationParameters, type DsseEnvelope, digest, hexToBytes, sealingKeyFault, sha256Hex } from '@coferment/crypto';
import { z } from 'zod';
import { ConsortiumError } from '../errors/index.js';
import {
  canonicalBytes,
  digestSchema,
  envelopeSchema,
  MAX_KEY_HOLDERS,
  MAX_SITES,
  openStatement,
  sealingKeySchema,
  siteIdSchema,
} from '../statements/index.js';

const small = z.number().int().min(0).max(1000);
const MAX_SUM = 10_000_000;

const rosterSchema = z.strictObject({
  sites: z
    .array(z.strictObject({ site: siteIdSchema, identityKey: digestSchema }))
    .min(1)
    .max(MAX_SITES),
  keyHolders: z
    .array(z.strictObject({ site: siteIdSchema, point: z.number().int() }))
    .min(1)
    .max(MAX_KEY_HOLDERS),
  numbers: z.strictObject({ n: small, m: small, tau: small, c: small, rho: small, minContributors: small }),
  parameters: z.strictObject({
    set: z.enum(['STANDARD', 'INSECURE_TEST_1024']),
    sites: small,
    keyHolders: small,
    threshold: small,
    kappa: small,
    smudgingBits: small,
    droppedBits: small,
    keptBits: small,
    shareDroppedBits: small,
    digitsPerCoefficient: small,
    digitBits: small,
    valueBits: small,
  }),
  leftOut: z.array(siteIdSchema).max(MAX_SITES),
  sealingKeys: z.array(z.strictObject({ site: siteIdSchema, key: sealingKeySchema, envelope: envelopeSchema })).max(MAX_SITES),
  firstSum: z.number().int().min(2).max(MAX_SUM).optional(),
});

/** How many sites there are, hold keys, may collude, must attest and must contribute (secure-aggregation.md §1). */
export interface QuorumNumbers {
  n: number;
  m: number;
  tau: number;
  c: number;
  rho: number;
  minContributors: number;
}

/** Everything about a key epoch's members that they must agree on before any of them deals a key (step S1). */
export interface Roster {
  sites: { site: string; identityKey: string }[];
  keyHolders: { site: string; point: number }[];
  numbers: QuorumNumbers;
  parameters: AggregationParameters;
  leftOut: string[];
  sealingKeys: { site: string; key: string; envelope: DsseEnvelope }[];
  /** Number of the epoch's first sum where that is not 1: every member must know which site each confirm sum is about. */
  firstSum?: number;
}

/** The confirm sums of an epoch are its first, one for each of its sites in order. */
export function firstSumOf(roster: Roster): number {
  return roster.firstSum ?? 1;
}

/** Before a run is opened: no signature could be made for a larger one. @throws ConsortiumError 'impossible-quorum' */
export function requireListable(sites: number): void {
  if (sites > MAX_SITES)
    throw new ConsortiumError('impossible-quorum', `The number of sites is ${sites}; rosters and statements list at most ${MAX_SITES}.`);
}

/** Points of key holders by position: 1, −1, 2, −2, … (small points keep L1 small). */
export function holderPoint(position: number): number {
  const magnitude = Math.floor(position / 2) + 1;
  return position % 2 === 0 ? magnitude : -magnitude;
}

export function rosterBytes(roster: Roster): Uint8Array {
  return canonicalBytes(roster);
}

export function rosterDigest(roster: Roster): string {
  return sha256Hex(rosterBytes(roster));
}

/**
 * What two people read to each other over a channel that is not the coordinator. It leaves the sealing keys out: they
 * are new in every epoch and each is signed by an identity key that the fingerprint covers. It leaves out where the sums go on as well, which each
 * site compares with its own journal.
 */
export function rosterFingerprint(roster: Omit<Roster, 'sealingKeys' | 'firstSum'>): string {
  const { sites, keyHolders, numbers, parameters, leftOut } = roster;
  return digest('roster-fingerprint', canonicalBytes({ sites, keyHolders, numbers, parameters, leftOut }));
}

/** Groups of four, as it is printed and read aloud. */
export function formatFingerprint(fingerprint: string): string {
  return (fingerprint.match(/.{4}/g) ?? []).join(' ');
}

/** Checks the form of a roster that came from the coordinator. What it says is approved by people, by fingerprint. */
export function parseRoster(bytes: Uint8Array): Roster {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(`it is not JSON (${(error as Error).message})`);
  }
  const parsed = rosterSchema.safeParse(raw);
  if (!parsed.success) throw invalid(`"${parsed.error.issues[0]?.path.join('.')}" ${parsed.error.issues[0]?.message}`);
  const roster = parsed.data as Roster;
  if (!Buffer.from(rosterBytes(roster)).equals(bytes)) throw invalid('it is not in canonical form');
  checkRoster(roster);
  return roster;
}

/** The rules of S1 that need no human: order, duplicates, points, counts. */
export function checkRoster(roster: Roster): void {
  const ids = roster.sites.map((member) => member.site);
  requireSorted(ids, 'sites');
  requireSorted(roster.leftOut, 'sites left out');
  if (new Set(roster.sites.map((member) => member.identityKey)).size !== ids.length) throw invalid('two sites have the same identity key');
  roster.leftOut.forEach((site) => {
    if (!ids.includes(site)) throw invalid(`the site left out, "${site}", is not one of its sites`);
  });
  const holders = roster.keyHolders.map((holder) => holder.site);
  if (new Set(holders).size !== holders.length) throw invalid('a site is key holder twice');
  roster.keyHolders.forEach((holder, position) => {
    if (!ids.includes(holder.site)) throw invalid(`key holder "${holder.site}" is not one of its sites`);
    if (roster.leftOut.includes(holder.site)) throw invalid(`key holder "${holder.site}" is left out`);
    if (holder.point !== holderPoint(position)) {
      throw invalid(`key holder "${holder.site}" has point ${holder.point}; position ${position} has ${holderPoint(position)}`);
    }
  });
  const { n, m, tau, c, rho, minContributors } = roster.numbers;
  if (n !== ids.length || m !== holders.length)
    throw invalid(`it says n = ${n}, m = ${m} but lists ${ids.length} sites, ${holders.length} key holders`);
  if (tau < c + 1 || tau > m) throw invalid(`threshold ${tau} must be from c + 1 = ${c + 1} to m = ${m}`);
  if (rho !== Math.floor((n + c) / 2) + 1 || rho > n)
    throw invalid(`attest quorum ${rho} must be ⌊(n + c)/2⌋ + 1 = ${Math.floor((n + c) / 2) + 1} and at most n = ${n}`);
  if (minContributors < Math.max(3, c + 2) || minContributors > n) {
    throw invalid(`minContributors ${minContributors} must be from ${Math.max(3, c + 2)} to n = ${n}`);
  }
  const { parameters } = roster;
  if (parameters.sites !== n || parameters.keyHolders !== m || parameters.threshold !== tau) {
    throw invalid(`its parameters are for ${parameters.sites} sites, ${parameters.threshold} of ${parameters.keyHolders} key holders`);
  }
}

/** Each sealing key must be signed by its owner's identity key for exactly this run and epoch (S1). */
export function checkSealingKeys(roster: Roster, context: { consortium: string; run: string; epoch: number }): void {
  const present = epochSites(roster);
  const listed = roster.sealingKeys.map((entry) => entry.site);
  if (listed.length !== present.length || listed.some((site, position) => site !== present[position])) {
    throw invalid('it must list exactly one sealing key for each site of the epoch, in order');
  }
  for (const entry of roster.sealingKeys) {
    const { predicate } = openStatement('sealing-key', entry.envelope, identityKeyOf(roster, entry.site));
    const matches =
      predicate.consortium === context.consortium &&
      predicate.run === context.run &&
      predicate.epoch === context.epoch &&
      predicate.site === entry.site &&
      predicate.key === entry.key;
    if (!matches) throw invalid(`the sealing key of "${entry.site}" was signed for another run, epoch, site or key`);
    const fault = sealingKeyFault(hexToBytes(entry.key));
    if (fault !== undefined) throw invalid(`the sealing key of "${entry.site}" ${fault}: no dealing could be sealed for it`);
  }
}

/** Sites of the epoch in order: all of the roster but those left out. */
export function epochSites(roster: Roster): string[] {
  return roster.sites.map((member) => member.site).filter((site) => !roster.leftOut.includes(site));
}

export function identityKeyOf(roster: Roster, site: string): Uint8Array {
  const member = roster.sites.find((candidate) => candidate.site === site);
  if (member === undefined) throw new ConsortiumError('invalid-roster', `"${site}" is not a site of this roster.`);
  return hexToBytes(member.identityKey);
}

function requireSorted(ids: string[], what: string): void {
  ids.forEach((id, position) => {
    const previous = ids[position - 1];
    if (previous !== undefined && previous >= id)
      throw invalid(`its ${what} must be sorted and distinct ("${previous}" stands before "${id}")`);
  });
}

function invalid(reason: string): ConsortiumError {
  return new ConsortiumError('invalid-roster', `The roster is refused: ${reason}. Ask the operator for a new one; nothing was signed.`);
}
