export { LedgerError, type LedgerErrorCode } from './ledger.error.js';
