export * from './context.js';
export * from './dealings.js';
export * from './freeze.js';
export * from './new-set.rule.js';
export { matchVersion, type VersionMatch, WIRE_VERSION } from './wire.version.js';
