export { type FolderReader, folderOf, readFolder, writeFolder } from './export.folder.js';
export { type CopiedLedger, copyLedger, type LedgerContent, type LedgerSource, readLedger, statementsOf } from './ledger.copy.js';
export { CHECKPOINT_PATH, POLICY_PATH, type LedgerExport, objectPath, payloadPath, writeLedger } from './ledger.export.js';
