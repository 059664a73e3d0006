export { chooseFault, requireBearable } from './fault.choice.js';
export type { Fault } from './fault.js';
