export { AgentError, type AgentErrorCode } from './agent.error.js';
export { checkData, DataError, importSite, parseMapping, type DataReport, type ImportedSite } from './data/index.js';
