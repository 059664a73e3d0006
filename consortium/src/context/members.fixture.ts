import { type AggregationParameters, type Identity, bytesToHex, generateIdentity, generateSealingKey } from '@coferment/crypto';
import { type Roster, holderPoint } from '../roster/index.js';
import { signStatement } from '../statements/index.js';

export const CONSORTIUM = 'test-consortium';
export const RUN = 'r1-0123456789abcdef';
export const digestOf = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32);

/** Sites with identities and a roster in form; its aggregation parameters are not used by what these specs check. */
export function members(ids: readonly string[], holders: readonly string[] = ids): { identities: Map<string, Identity>; roster: Roster } {
  const identities = new Map(ids.map((id) => [id, generateIdentity()]));
  const n = ids.length;
  const c = Math.floor((n - 1) / 2);
  const tau = Math.floor((2 * holders.length) / 3) + 1;
  const parameters: AggregationParameters = {
    set: 'STANDARD',
    sites: n,
    keyHolders: holders.length,
    threshold: tau,
    kappa: 80,
    smudgingBits: 96,
    droppedBits: 100,
    keptBits: 80,
    shareDroppedBits: 90,
    digitsPerCoefficient: 3,
    digitBits: 19,
    valueBits: 16,
  };
  const roster: Roster = {
    sites: ids.map((site) => ({ site, identityKey: bytesToHex(identities.get(site)!.publicKey) })),
    keyHolders: holders.map((site, position) => ({ site, point: holderPoint(position) })),
    numbers: { n, m: holders.length, tau, c, rho: Math.floor((n + c) / 2) + 1, minContributors: Math.max(3, c + 2) },
    parameters,
    leftOut: [],
    sealingKeys: ids.map((site) => {
      const key = bytesToHex(generateSealingKey().publicKey);
      const predicate = { consortium: CONSORTIUM, run: RUN, epoch: 1, site, key };
      return { site, key, envelope: signStatement('sealing-key', predicate, identities.get(site)!) };
    }),
  };
  return { identities, roster };
}
