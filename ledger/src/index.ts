export * from './entry/index.js';
export * from './errors/index.js';
export * from './note/index.js';
export * from './proof/index.js';
export * from './receipt/index.js';
export * from './tiles/index.js';
export * from './tree/index.js';
