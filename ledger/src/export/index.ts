export { CHECKPOINT_PATH, POLICY_PATH, type LedgerExport, objectPath, payloadPath, writeLedger } from './ledger.export.js';
