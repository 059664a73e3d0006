import { CoordinatorError } from '../errors/index.js';

/** Where this coordinator can be dialled; known once it listens. It goes into invites. */
export class AgentAddress {
  value = '';
}

const DIALLED = /^[^\s:]+:[0-9]{1,5}$/;
const EVERYWHERE = /^(0\.0\.0\.0|\[::\]):/;

/** The address for an invite: what the operator says sites dial, else where the coordinator listens. */
export function dialledAddress(wanted: string, listening: string): string {
  if (wanted !== '') {
    if (DIALLED.test(wanted) && wanted.length <= 260) return wanted;
    throw new CoordinatorError(
      'malformed',
      `"${wanted.slice(0, 80)}" is not an address; give it as host:port, for example coordinator.example:7443.`,
    );
  }
  if (EVERYWHERE.test(listening)) {
    throw new CoordinatorError(
      'malformed',
      `The coordinator listens on ${listening}, which no site can dial. Say with --address under which host:port sites reach it.`,
    );
  }
  return listening;
}
