export { type Renewal, renewRoster, requireEnoughMembers } from './renewal.rule.js';
export * from './roster.js';
