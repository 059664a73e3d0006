export * from './context.js';
export * from './dealings.js';
export * from './freeze.js';
export { WIRE_VERSION } from './wire.version.js';
