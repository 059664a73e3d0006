export { DamagedFile } from './block.files.js';
export { type Difference, type OpenedRange, openRange, type OpeningTask } from './range.opening.js';
export { openStoredSum, type SignedFile, type StoredOpening, type StoredSum } from './stored-sum.opening.js';
