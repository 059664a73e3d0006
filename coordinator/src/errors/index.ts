export { CoordinatorError, type CoordinatorErrorCode } from './coordinator.error.js';
