import { LedgerError, type VerifierKey, parseVkey } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';

/** A witness outside the consortium that is called over HTTP (C2SP tlog-witness). */
export interface WitnessAddress {
  key: VerifierKey;
  /** Where `add-checkpoint` is below, without a slash at its end. */
  url: string;
}

/** Witnesses outside the consortium that one coordinator calls. */
export const MOST_WITNESS_SERVERS = 16;
/** Characters of one, key and URL. */
export const LONGEST_WITNESS_ADDRESS = 1000;

const EXAMPLE = 'A witness is given as "NAME+HASH+KEY https://host/prefix", as its operator tells it.';

/** @param text a verifier key and a URL, apart by a space. @throws CoordinatorError 'malformed' */
export function parseWitnessAddress(text: string): WitnessAddress {
  if (text.length > LONGEST_WITNESS_ADDRESS)
    throw new CoordinatorError(
      'malformed',
      `"${text.slice(0, 100)}…" has ${text.length} characters; the address of a witness has at most ${LONGEST_WITNESS_ADDRESS}. ${EXAMPLE}`,
    );
  const [vkey = '', address = '', ...rest] = text.trim().split(/\s+/);
  const key = parseWitnessKey(vkey);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isUsable = url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.search === '' && url.hash === '';
  if (rest.length > 0 || !isUsable)
    throw new CoordinatorError('malformed', `"${address.slice(0, 100)}" is not the address of a witness. ${EXAMPLE}`);
  return { key, url: url.href.replace(/\/+$/, '') };
}

/** @throws CoordinatorError 'malformed' */
export function parseWitnessKey(vkey: string): VerifierKey {
  try {
    const key = parseVkey(vkey);
    if (key.kind === 'witness') return key;
    throw new CoordinatorError('malformed', `The key of "${key.name}" signs a log's notes; a witness's key is needed. ${EXAMPLE}`);
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new CoordinatorError('malformed', `"${vkey.slice(0, 100)}" is not a witness's key: ${cause.message}. ${EXAMPLE}`, { cause });
  }
}
