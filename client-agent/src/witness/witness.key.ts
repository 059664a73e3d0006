import { parseStatement } from '@coferment/consortium';
import { bytesToHex, hash, type Identity } from '@coferment/crypto';
import { type NoteSigner, publicKeyFromSeed, witnessName } from '@coferment/ledger';
import type { WitnessContext } from './witness.context.js';

/**
 * The key with which a site cosigns, and does nothing else (C2SP tlog-cosignature). It follows from the identity, so that a site which was restored from an old
 * backup still has the key that stands in the ledger.
 */
export function witnessSigner(identity: Identity, origin: string, site: string): NoteSigner {
  return { name: witnessName(origin, site), seed: hash('witness-key', identity.privateKey) };
}

/**
 * Puts the witness key of this site into the ledger, unless it is there, as far as the ledger was read: cosignatures of a key that the ledger does not name count
 * for nobody. What the coordinator has accepted before is no reason to leave it: restored from a backup, it may have lost the key. Sent again it is the same act,
 * byte for byte.
 */
export async function announceWitnessKey({ consortium, site, identity, journal, port, log }: WitnessContext): Promise<void> {
  const key = bytesToHex(publicKeyFromSeed(witnessSigner(identity, log.name, site).seed));
  if (keyInLedger({ journal }, site) === key) return;
  await port.submitStatement(journal.statements.sign('', 'witness-key', key, { consortium, site, key }).envelope);
}

/** The newest witness key of a site, as far as the ledger was read. */
function keyInLedger({ journal }: Pick<WitnessContext, 'journal'>, site: string): string | undefined {
  let found: string | undefined;
  for (const { statement } of journal.roll.all()) {
    const { name, predicate } = parseStatement(Buffer.from(statement, 'utf8'));
    if (name === 'witness-key' && predicate.site === site) found = predicate.key;
    // Who is enrolled anew brings a new identity, and with it another key.
    if (name === 'site-enrolled' && predicate.site === site) found = undefined;
  }
  return found;
}
