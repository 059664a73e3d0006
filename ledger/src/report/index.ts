export * from './account.rows.js';
export { closingWords } from './account.words.js';
export { shortDigest, shownData, shownText } from './shown.text.js';
