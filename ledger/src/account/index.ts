export { AccountBook } from './account.book.js';
export * from './account.types.js';
export { type OpenedContribution, parseOpenings } from './contribution.openings.js';
export { type AccountFilter, filterAccount } from './account.filter.js';
