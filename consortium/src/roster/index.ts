export { MOST_EPOCHS, type Renewal, renewRoster, requireEnoughMembers } from './renewal.rule.js';
export * from './roster.js';
export { describeChanges, describeMembers, missingSites, type RosterScene, rosterLines } from './roster.screen.js';
