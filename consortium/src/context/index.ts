export * from './context.js';
export * from './dealings.js';
export * from './freeze.js';
export { matchVersion, type VersionMatch, WIRE_VERSION } from './wire.version.js';
