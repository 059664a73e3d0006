import { joinMessage, renewMessage } from '@coferment/consortium';
import { type Identity, signBytes } from '@coferment/crypto';

/** Proves that whoever redeems the invite holds the identity key, for exactly this certificate request. */
export function provePossession(
  identity: Identity,
  join: { consortium: string; site: string; inviteId: string; certificateRequest: Uint8Array },
): Uint8Array {
  const message = joinMessage(join.consortium, join.site, join.inviteId, join.certificateRequest);
  return signBytes('join', message, identity.privateKey);
}

/** Signed with the pinned identity key, so it also works when the certificate has expired. The time keeps an old one from being replayed. */
export function proveRenewal(
  identity: Identity,
  renewal: { consortium: string; site: string; agentTimeMs: number; certificateRequest: Uint8Array },
): Uint8Array {
  const message = renewMessage(renewal.consortium, renewal.site, renewal.agentTimeMs, renewal.certificateRequest);
  return signBytes('renew', message, identity.privateKey);
}
