/** Where this coordinator can be dialled; known once it listens. It goes into invites. */
export class AgentAddress {
  value = '';
}
