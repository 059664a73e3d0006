import { matchVersion, WIRE_VERSION } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import { printable } from '../printable.text.js';

/** The agent's half of the rule: a later coordinator may be willing to speak to releases that cannot follow it. @throws AgentError 'version-mismatch' */
export function requireCoordinatorVersion(theirs: string): void {
  if (matchVersion(theirs) === 'together') return;
  throw new AgentError(
    'version-mismatch',
    `This agent speaks wire version ${WIRE_VERSION}, the coordinator ${printable(theirs, 20)}: more than one minor version apart. Install the agent release that the operator names; nothing was sent.`,
  );
}
