export * from './context/index.js';
export * from './errors/index.js';
export * from './invite/index.js';
export * from './roster/index.js';
export * from './statements/index.js';
