export { WitnessRoll, witnessName } from './witness.roll.js';
