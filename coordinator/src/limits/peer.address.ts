import { networkOf } from '@coferment/ledger/serving';

/**
 * Whom a stranger's calls are counted for.
 * @param peer `address:port` as gRPC has it, the address of IPv6 without brackets
 */
export function networkOfPeer(peer: string): string {
  return networkOf(peer.slice(0, Math.max(0, peer.lastIndexOf(':'))).replace(/%.*$/, ''));
}
