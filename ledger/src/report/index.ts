export * from './account.rows.js';
export { closingWords } from './account.words.js';
export { shortDigest, shownText } from './shown.text.js';
