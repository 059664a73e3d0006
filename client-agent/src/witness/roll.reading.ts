import { parseStatement, type PredicateName, type Statement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { parseEntry, verifyEntry, WitnessRoll } from '@coferment/ledger';
import type { LoggedEntry } from '../connection/coordinator.port.js';
import type { RollRepository } from '../journal/roll.repository.js';

const NAMES = ['charter', 'site-enrolled', 'site-revoked', 'site-left', 'witness-key'] as const satisfies readonly PredicateName[];
type RollAct = Statement<(typeof NAMES)[number]>;

/** Most of the ledger is none of it: a look at the bytes is cheaper than to read every statement. */
const TOLD = NAMES.map((name) => Buffer.from(`:${name}:v1"`));

/**
 * Keeps what entries say of who may cosign. Only what is signed by whoever may say it: the operator, or the site as it is enrolled.
 * @param page in the order of the ledger
 */
export function readRoll(
  roll: RollRepository,
  { consortium, operatorKey }: { consortium: string; operatorKey: Uint8Array },
  page: readonly LoggedEntry[],
): void {
  const candidates = page.filter(({ payload }) => TOLD.some((name) => Buffer.from(payload).includes(name)));
  if (candidates.length === 0) return;
  const identities = new Map<string, string>();
  for (const { statement } of roll.all()) follow(identities, parseStatement(Buffer.from(statement, 'utf8')));
  for (const { index, entry, payload } of candidates) {
    const act = verifiedAct({ entry, payload }, bytesToHex(operatorKey), identities);
    if (act === undefined || act.predicate.consortium !== consortium) continue;
    follow(identities, act);
    roll.add({ entry: index, name: act.name, statement: Buffer.from(payload).toString('utf8') });
  }
}

/** Who may cosign by the acts that were read. @param origin of the log */
export function rollOf(roll: RollRepository, origin: string): WitnessRoll {
  const known = new WitnessRoll(origin);
  for (const { statement } of roll.all()) known.follow(parseStatement(Buffer.from(statement, 'utf8')));
  return known;
}

/** What is no entry, not signed, or of another kind is none of it. */
function verifiedAct(
  { entry, payload }: Pick<LoggedEntry, 'entry' | 'payload'>,
  operatorKey: string,
  identities: ReadonlyMap<string, string>,
): RollAct | undefined {
  try {
    const parsed = parseEntry(entry);
    verifyEntry(parsed, payload);
    const act = parseStatement(payload);
    if (!isRollAct(act)) return undefined;
    return bytesToHex(parsed.publicKey) === signerOf(act, operatorKey, identities) ? act : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an act says who may cosign, or how many must. */
export function isRollAct(act: Statement): act is RollAct {
  return (NAMES as readonly PredicateName[]).includes(act.name);
}

function signerOf(act: RollAct, operatorKey: string, identities: ReadonlyMap<string, string>): string | undefined {
  switch (act.name) {
    case 'charter':
    case 'site-enrolled':
    case 'site-revoked':
      return operatorKey;
    case 'site-left':
    case 'witness-key':
      return identities.get(act.predicate.site);
  }
}

function follow(identities: Map<string, string>, { name, predicate }: Statement): void {
  if (name === 'site-enrolled') identities.set(predicate.site, predicate.identityKey);
  if (name === 'site-left' || name === 'site-revoked') identities.delete(predicate.site);
}
