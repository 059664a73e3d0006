import { concatBytes, hexToBytes, sha256Hex } from '@coferment/crypto';
import { z } from 'zod';

export const MAX_COMPANY = 100;

/** A company's own name, as it stands in an invite: one spelling of it, because every byte changes the pseudonym. */
export const companySchema = z
  .string()
  .min(1)
  .max(MAX_COMPANY)
  // oxlint-disable-next-line no-control-regex -- these are what a name must not have
  .regex(/^[^\u0000-\u001f\u007f-\u009f]+$/, 'must be one line')
  .refine((name) => name === companyName(name), 'must have no white space around it and be in Unicode NFC');

export const saltSchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

/** What opens a pseudonym: whoever has both can show whose it is. */
export interface PseudonymOpening {
  company: string;
  /** 32 bytes, hex. */
  salt: string;
}

/** The spelling that is hashed. */
export function companyName(text: string): string {
  return text.normalize('NFC').trim();
}

const PREFIX = 'site-';
const DIGITS = 12;

/**
 * The site id that stands in the ledger for a company: `site-` and the first 48 bits of SHA-256(salt ‖ name). Whoever lacks the 32 random bytes cannot find
 * out by trying the names of all companies. Plain SHA-256, not a hash of our own, so that a shell can check an opening (docs/charter.md). 48 bits hide and
 * tell apart, and do not bind for long: about 2^48 hashes give somebody else's name a salt for the same pseudonym. An opening therefore counts together with
 * a signature by the identity key that the ledger has for the pseudonym.
 */
export function pseudonymOf({ company, salt }: PseudonymOpening): string {
  const digest = sha256Hex(concatBytes([hexToBytes(salt), new TextEncoder().encode(companyName(company))]));
  return `${PREFIX}${digest.slice(0, DIGITS)}`;
}

export function isPseudonym(site: string): boolean {
  return /^site-[0-9a-f]{12}$/.test(site);
}
