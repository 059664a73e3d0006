import { hash, hexToBytes } from '@coferment/crypto';
import { wordlist } from '@scure/bip39/wordlists/english.js';

const WORDS = 6;
const BITS_PER_WORD = 11;

/**
 * Six words for an identity key, to be read aloud by the site and compared by the operator: 66 bits of a digest over the consortium, the member's name and the
 * key, in the English word list of BIP 39 (2048 words that differ in their first four letters).
 *
 * What they are for: whoever steals an invite can use it first, under a key of its own. Its words then differ from those that the site reads out, and the
 * operator does not admit it. To be admitted it needs a key with the same words, and knows them only after the site has made its key: about 2^66 key pairs,
 * each with its digest, for this one name in this one consortium, while the site waits. Two keys of one owner with the same words (2^33) gain nothing: the
 * admission names the whole key. The words guard only what is compared; the ledger and rosters hold all 256 bits.
 *
 * @param identityKey Ed25519, hex
 */
export function identityWords(consortium: string, name: string, identityKey: string): string[] {
  const bits = BigInt(`0x${Buffer.from(hash('identity-words', consortium, name, hexToBytes(identityKey))).toString('hex')}`);
  return Array.from({ length: WORDS }, (_, position) => {
    const shift = BigInt(256 - BITS_PER_WORD * (position + 1));
    return wordlist[Number((bits >> shift) & 2047n)]!;
  });
}

/** Whether a person typed these words; capitals, commas, numbers in front and line breaks do not matter. */
export function sameWords(typed: string, words: readonly string[]): boolean {
  return (typed.toLowerCase().match(/[a-z]+/g) ?? []).join(' ') === words.join(' ');
}
