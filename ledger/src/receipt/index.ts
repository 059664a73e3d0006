export { type ContributionReceipt, formatReceipt, parseReceipt, verifyReceipt } from './contribution.receipt.js';
