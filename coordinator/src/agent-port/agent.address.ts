import { dialableAddress, formatAddress, isEverywhere, parseAddress } from '@coferment/consortium';
import { CoordinatorError } from '../errors/index.js';

/** Where this coordinator can be dialled; known once it listens. It goes into invites. */
export class AgentAddress {
  value = '';
}

const EXAMPLES = 'host:port, for example coordinator.example:7443 or [2001:db8::7]:7443';

/** The address for an invite: what the operator says sites dial, else where the coordinator listens. */
export function dialledAddress(wanted: string, listening: string): string {
  if (wanted !== '') {
    if (dialableAddress(wanted) !== undefined) return wanted;
    throw new CoordinatorError('malformed', `"${wanted.slice(0, 80)}" is not an address that a site can dial; give it as ${EXAMPLES}.`);
  }
  if (dialableAddress(listening) === undefined) {
    throw new CoordinatorError(
      'malformed',
      `The coordinator listens on ${listening}, which no site can dial. Say with --address under which host:port sites reach it.`,
    );
  }
  return listening;
}

/** Where to listen. @throws CoordinatorError 'malformed' */
export function listeningAddress(wanted: string): { address: string; host: string; port: number; on: (port: number) => string } {
  const parsed = parseAddress(wanted);
  if (parsed !== undefined) return { address: wanted, ...parsed, on: (port) => formatAddress({ ...parsed, port }) };
  throw new CoordinatorError(
    'malformed',
    `"${wanted.slice(0, 80)}" is not an address to listen on; give it as ${EXAMPLES}, or [::]:7443 for every address of this machine.`,
  );
}

/** How a program on the same machine dials a coordinator that listens there. */
export function localAddress(listening: string): string {
  const parsed = parseAddress(listening);
  if (parsed === undefined || !isEverywhere(parsed)) return listening;
  return formatAddress({ host: parsed.host.includes(':') ? '::1' : '127.0.0.1', port: parsed.port });
}
