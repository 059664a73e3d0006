import { canonicalBytes } from '@coferment/consortium';
import { bytesToHex, hexToBytes, type Identity, signBytes, verifyBytes } from '@coferment/crypto';

/** The purpose of the signature: one over a head of the record is worth nothing for anything else. */
const PURPOSE = 'journal-head';

/** A place in the record that the site has signed: up to here nothing can be cut off. Heads are numbered from 1 without gaps. */
export interface RecordHead {
  head: number;
  seq: number;
  hash: string;
  time: number;
  /** Ed25519 by the identity key of the site, hex. */
  signature: string;
}

export function signHead(head: Omit<RecordHead, 'signature'>, identity: Identity): RecordHead {
  return { ...head, signature: bytesToHex(signBytes(PURPOSE, messageOf(head), identity.privateKey)) };
}

export function isSigned(head: RecordHead, identityKey: Uint8Array): boolean {
  if (!/^[0-9a-f]{128}$/.test(head.signature)) return false;
  return verifyBytes(PURPOSE, messageOf(head), hexToBytes(head.signature), identityKey);
}

function messageOf({ head, seq, hash, time }: Omit<RecordHead, 'signature'>): Uint8Array {
  return canonicalBytes({ head, seq, hash, time });
}
