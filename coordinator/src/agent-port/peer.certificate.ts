import type { PeerCertificate } from 'node:tls';
import type { ConsortiumIdentity } from '../identity/consortium.identity.js';

/**
 * The client certificate of a call, DER, or undefined without one that is good now. TLS judged it once, when the connection was made; connections last for
 * weeks, so its end and its authority are looked at again in every call.
 * @param context of grpc-js: without a certificate unless the chain was valid and in date
 */
export function validCertificate(
  { sslPeerCertificate }: { sslPeerCertificate?: PeerCertificate | undefined },
  identity: Pick<ConsortiumIdentity, 'believes'>,
  nowMs: number,
): Uint8Array | undefined {
  if (sslPeerCertificate === undefined || !(Date.parse(sslPeerCertificate.valid_to) > nowMs)) return undefined;
  return identity.believes(sslPeerCertificate.raw) ? sslPeerCertificate.raw : undefined;
}
