import { isLoopback } from '@coferment/consortium';
import { listeningAddress } from '../agent-port/agent.address.js';
import { CoordinatorError } from '../errors/index.js';

export interface MonitorListening {
  /** `host:port`; port 0 takes a free one. */
  listen: string;
  /** Also an address that other machines reach. */
  open?: boolean;
}

/**
 * The metrics name the sites of the consortium and say when each polls, and nobody is asked for a password: what other machines can read is the operator's own
 * decision, said in so many words. @throws CoordinatorError 'malformed', 'forbidden'
 */
export function monitorAddress({ listen, open = false }: MonitorListening): ReturnType<typeof listeningAddress> {
  const address = listeningAddress(listen);
  if (open || isLoopback(address.host)) return address;
  throw new CoordinatorError(
    'forbidden',
    `Other machines can reach ${listen}, and would read from it, without a password, which sites take part and when each polls. ` +
      'Listen on 127.0.0.1:9463 and let your monitoring ask there, or add --monitor-open if your network keeps strangers out.',
  );
}
