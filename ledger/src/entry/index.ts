export { type LedgerEntry, entryFor, parseEntry, verifyEntry } from './dsse.entry.js';
