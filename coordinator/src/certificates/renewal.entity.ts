import { EntitySchema } from 'typeorm';
import { big, key, text } from '../persistence/column.types.js';

/** The newest renewal of a member's certificate. It belongs to an identity key: whoever takes the name later starts without one. */
export interface RenewalRow {
  site: string;
  identityKey: string;
  /** The agent's own time in the newest renewal: only a later one is answered, so a recorded one displaces nothing. */
  agentTimeMs: number;
  /** SHA-256 of the certificate that was renewed; still accepted for a short while, for what the agent had begun with it. */
  previousDigest: string;
  previousUntilMs: number;
}

export const RenewalEntity = new EntitySchema<RenewalRow>({
  name: 'renewal',
  columns: {
    site: { ...text, ...key },
    identityKey: { ...text, name: 'identity_key' },
    agentTimeMs: { ...big, name: 'agent_time_ms' },
    previousDigest: { ...text, name: 'previous_digest' },
    previousUntilMs: { ...big, name: 'previous_until_ms' },
  },
});
