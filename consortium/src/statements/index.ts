export * from './predicates.js';
export * from './statement.js';
