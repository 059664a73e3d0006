export { CoordinatorError, type CoordinatorErrorCode } from './coordinator.error.js';
export { storageErrno, storageRefusal } from './outside.fault.js';
