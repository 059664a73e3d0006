export { type LedgerEntry, encodeEntry, entryFor, parseEntry, verifyEntry, verifySignature } from './dsse.entry.js';
