export { progressLines } from './copy.progress.js';
export { type FolderReader, folderOf, readFolder, writeFolder } from './export.folder.js';
export {
  type CopiedLedger,
  copyLedger,
  type CopyOptions,
  type CopyProgress,
  type LedgerContent,
  type LedgerSource,
  type ServedCheckpoint,
  readLedger,
  statementsOf,
} from './ledger.copy.js';
export { CHECKPOINT_PATH, POLICY_PATH, type LedgerExport, objectPath, payloadPath, writeLedger } from './ledger.export.js';
export { maxBytesOf } from './resource.limits.js';
export { type NamedObject, type ObjectState, stateOf } from './stored.object.js';
