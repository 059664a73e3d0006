export { type WitnessPolicy, parsePolicy, policyOfLogKey } from './witness.policy.js';
