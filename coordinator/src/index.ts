export { type RunningCoordinator, type StartOptions, startCoordinator } from './coordinator.start.js';
export { CoordinatorError, type CoordinatorErrorCode } from './errors/index.js';
