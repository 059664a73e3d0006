export * from './context.js';
export * from './dealings.js';
export * from './freeze.js';
