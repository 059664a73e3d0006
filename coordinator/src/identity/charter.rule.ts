import { ConsortiumError, type Predicate, parseStatement } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { parseEntry } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { MOST_COSIGNATURES } from '../witnessing/checkpoint.offer.js';
import { parseWitnessKey } from '../witnessing/witness.address.js';
import type { Charter, ConsortiumFacts } from './consortium.facts.js';

/** A charter is for good, so what could never be kept is refused before anybody joins under it. @throws CoordinatorError 'malformed' */
export function requireSoundCharter({ witnessQuorum, witnesses = [] }: Partial<Charter>, origin: string): void {
  if (typeof witnessQuorum === 'number' && witnessQuorum > MOST_COSIGNATURES)
    throw new CoordinatorError(
      'malformed',
      `A checkpoint holds at most ${MOST_COSIGNATURES} cosignatures, so ${witnessQuorum} of them can never come together. Give --witness-quorum a smaller number, or "majority".`,
    );
  const keys = new Set<string>();
  for (const vkey of witnesses) {
    const { name, publicKey } = parseWitnessKey(vkey);
    if (name === origin || name.startsWith(`${origin}/`))
      throw new CoordinatorError(
        'malformed',
        `A witness outside the consortium cannot be called "${name}": names that begin with ${origin} are those of its sites.`,
      );
    const key = Buffer.from(publicKey).toString('hex');
    if (keys.has(key))
      throw new CoordinatorError('malformed', `The key of the witness "${name}" is given twice; it counts once. Leave one out.`);
    keys.add(key);
  }
}

/** What to say of a consortium whose charter is older than witnesses are. A charter cannot be changed, so neither can this. */
export function foundedEarlier(folder: string, consortium: string): CoordinatorError {
  return new CoordinatorError(
    'folder-unusable',
    `The consortium "${consortium}" in ${folder} was founded by a version of Coferment without witnesses: its charter does not say how many must cosign the ledger, and a charter is for good. ` +
      'Nothing is lost: that version still opens this folder and exports its ledger and models. For this version, found the consortium anew in another folder.',
  );
}

/**
 * A charter without a word of witnesses, or none, would leave a coordinator that answers and publishes nothing.
 * @param second entry of the ledger: the charter, since there are charters
 * @throws CoordinatorError 'folder-unusable'
 */
export function requireCharter(second: { entry: Uint8Array; payload: Uint8Array } | undefined, folder: string, consortium: string): void {
  if (second !== undefined && isChangedOrCharter(second)) return;
  throw foundedEarlier(folder, consortium);
}

/**
 * @param first entry of the ledger in the database, if there is one: whose it is
 * @throws CoordinatorError 'folder-unusable' when it is another consortium's
 */
export function requireSameFounding(first: { payload: Uint8Array } | undefined, facts: ConsortiumFacts, folder: string): void {
  const founding = first === undefined ? undefined : foundingOf(first.payload);
  if (founding === undefined) return;
  const { consortium, origin, operatorKey } = founding;
  if (consortium === facts.consortium && origin === facts.origin && operatorKey === facts.operatorKey) return;
  throw new CoordinatorError(
    'folder-unusable',
    `The database is that of the consortium "${consortium}" with origin ${origin} and operator key ${operatorKey.slice(0, 16)}…; ${folder} holds "${facts.consortium}" with origin ${facts.origin} and operator key ${facts.operatorKey.slice(0, 16)}…. ` +
      'Nothing was changed. Set DATABASE_URL to the database of this consortium, or give the folder that belongs to that database; a further folder for it is made with: coferment replica make',
  );
}

/** Undefined for a row that was changed: `coferment ledger check` has more to say of it. */
function foundingOf(payload: Uint8Array): Predicate<'consortium-founded'> | undefined {
  try {
    const statement = parseStatement(payload);
    return statement.name === 'consortium-founded' ? statement.predicate : undefined;
  } catch (error) {
    if (error instanceof ConsortiumError) return undefined;
    throw error;
  }
}

function isChangedOrCharter({ entry, payload }: { entry: Uint8Array; payload: Uint8Array }): boolean {
  // Of a row that was changed since, `coferment ledger check` has more to say.
  if (parseEntry(entry).payloadHash !== sha256Hex(payload)) return true;
  try {
    return parseStatement(payload).name === 'charter';
  } catch (error) {
    if (error instanceof ConsortiumError) return false;
    throw error;
  }
}

/** @param given what this start was asked for. @throws CoordinatorError 'folder-unusable' when the consortium was founded with something else */
export function requireSameCharter(given: Partial<Charter>, facts: ConsortiumFacts): void {
  const { ledgerReaders = facts.ledgerReaders, siteNames = facts.siteNames } = given;
  const { witnessQuorum = facts.witnessQuorum, witnesses = facts.witnesses } = given;
  const isSame =
    ledgerReaders === facts.ledgerReaders &&
    siteNames === facts.siteNames &&
    witnessQuorum === facts.witnessQuorum &&
    witnesses.toSorted().join(' ') === facts.witnesses.toSorted().join(' ');
  if (isSame) return;
  const outside = facts.witnesses.length === 0 ? 'none' : facts.witnesses.join(', ');
  throw new CoordinatorError(
    'folder-unusable',
    `The charter of "${facts.consortium}" says ledger readers ${facts.ledgerReaders} and site names ${facts.siteNames}, a witness quorum of ${facts.witnessQuorum} and as witnesses from outside ${outside}, and its members joined under it. ` +
      'Leave out --ledger-readers, --site-names, --witness-quorum and --charter-witness, or found another consortium in another folder.',
  );
}
