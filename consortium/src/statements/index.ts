export * from './commitment.rule.js';
export * from './predicates.js';
export * from './statement.js';
export * from './refusal.subjects.js';
