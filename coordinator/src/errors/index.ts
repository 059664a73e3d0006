export { CoordinatorError, type CoordinatorErrorCode, stoppingRefusal } from './coordinator.error.js';
export { storageErrno, storageRefusal } from './outside.fault.js';
