export { renderCheck } from './check.text.js';
export { DataError, type DataErrorCode, type DataPlace } from './data.error.js';
export type { BatchSummary, DataFlag, DataFlagKind, DataReport, FileSummary, VariableSummary } from './data.report.js';
export { parseMapping } from './mapping.parser.js';
export { type Mapping, mappingSchema } from './mapping.schema.js';
export { checkData, type LeavingItem, type PlanCheck, type PlanProblem } from './plan.check.js';
export { renderReport } from './report.text.js';
export { type ImportedSite, importSite } from './site.importer.js';
export { UNIT_ALIASES } from './unit.converter.js';
