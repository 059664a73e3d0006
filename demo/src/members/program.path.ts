import { fileURLToPath } from 'node:url';

const inRepository = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The commands exactly as a user starts them. */
export const COORDINATOR_PROGRAM = inRepository('coordinator/bin/coferment.js');
export const AGENT_PROGRAM = inRepository('client-agent/bin/coferment-agent.js');
export const AUDITOR_PROGRAM = inRepository('ledger/bin/coferment-audit.js');
