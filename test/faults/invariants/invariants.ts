import { countedOnce } from './counted.once.js';
import { ledgerAgrees } from './ledger.agrees.js';
import { legalMoves } from './legal.moves.js';
import { noOrphans } from './no.orphans.js';
import { nothingLost } from './nothing.lost.js';
import { oneModel } from './one.model.js';
import { sharesStand } from './shares.stand.js';
import type { ConsortiumStores, Invariant } from './stores.js';

/** All that docs/reliability.md promises and that the stores alone show. */
export const INVARIANTS: readonly Invariant[] = [countedOnce, nothingLost, oneModel, sharesStand, ledgerAgrees, noOrphans, legalMoves];

/** @returns everything that does not hold, each with the invariant that it breaks */
export function violationsOf(stores: ConsortiumStores): string[] {
  return INVARIANTS.flatMap(({ name, violations }) => violations(stores).map((violation) => `${name}: ${violation}`));
}
