export { MOST_EPOCHS, type Renewal, renewRoster, requireEnoughMembers } from './renewal.rule.js';
export * from './roster.js';
