export { ConsortiumError, type ConsortiumErrorCode } from './consortium.error.js';
