export { AGENT_ROUND_TABLE, type AgentRoundEvent, type AgentRoundState } from './agent-round.table.js';
export { MEMBERSHIP_TABLE, type MembershipEvent, type MembershipState } from './membership.table.js';
export { ROUND_TABLE, type RoundEvent, type RoundState } from './round.table.js';
export { RUN_TABLE, type RunEvent, type RunState } from './run.table.js';
export { isFinal, legalEvents, nextState, type TransitionTable } from './transition.table.js';
