export { DamagedFile } from './block.files.js';
export { type Difference, openRange, type OpenedRange, type OpeningTask } from './range.opening.js';
export { type OpeningHands, openStoredSum, type SignedFile, type StoredOpening, type StoredSum } from './stored-sum.opening.js';
