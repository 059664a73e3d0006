import { type AggregationParameters, bytesToHex, checkDealing, deal, generateSealingKey } from '@coferment/crypto';

/** Ledgers differ in a few statements only: what is dealt, encrypted and opened alike is made once. */
export function remembering<Made>(): (key: string, make: () => Made) => Made {
  const known = new Map<string, Made>();
  return (key, make) => {
    const made = known.get(key) ?? make();
    known.set(key, made);
    return made;
  };
}

const sealingKeys = remembering<string>();

/** Hex. */
export function sealingKeyOf(site: string): string {
  return sealingKeys(site, () => bytesToHex(generateSealingKey().publicKey));
}

export interface DealtKeys {
  secretKeys: Map<string, Uint8Array>;
  /** By holder, then by dealer. */
  keyShares: Map<string, Map<string, Uint8Array>>;
}

/** Every site deals its key to every site. */
export function dealAll(e0: string, sites: readonly string[], parameters: AggregationParameters): DealtKeys {
  const secretKeys = new Map<string, Uint8Array>();
  const keyShares = new Map(sites.map((holder) => [holder, new Map<string, Uint8Array>()]));
  for (const dealer of sites) {
    const { secretKey, commitments, masked, privateShares } = deal({ e0, dealer, parameters });
    secretKeys.set(dealer, secretKey);
    for (const [holderIndex, holder] of sites.entries()) {
      const privateShare = privateShares[holderIndex]!;
      keyShares.get(holder)!.set(dealer, checkDealing({ e0, dealer, holderIndex, parameters, commitments, masked, privateShare }));
    }
  }
  return { secretKeys, keyShares };
}
