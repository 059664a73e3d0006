export { type BaselineInput, type BaselineResult, type BaselineSite, runBaselines } from './baseline.comparison.js';
