import { hash, sha256Hex } from '@coferment/crypto';

/**
 * What a joiner signs with its identity key, under the purpose `join`: that the key, the invite and the certificate request belong together.
 * @param request PKCS #10, DER
 */
export function joinMessage(consortium: string, site: string, inviteId: string, request: Uint8Array): Uint8Array {
  return hash('join', consortium, site, inviteId, sha256Hex(request));
}

/** What a site signs to renew, under the purpose `renew`. The time keeps a recorded one from being used later. */
export function renewMessage(consortium: string, site: string, agentTimeMs: number, request: Uint8Array): Uint8Array {
  return hash('renew', consortium, site, agentTimeMs, sha256Hex(request));
}
