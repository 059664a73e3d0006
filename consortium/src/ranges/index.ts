export { dequantiseSum, quantiseUpdate, type SumToDequantise, type UpdateToQuantise } from './quantise.rule.js';
export { type AppliedSum, firstRange, initialRanges, nextRanges, type Ranges, rangesDigest } from './range.rule.js';
