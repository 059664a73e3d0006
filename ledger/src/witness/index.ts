export {
  type CheckpointOffer,
  type Consideration,
  type RefusalCode,
  type SeenCheckpoint,
  considerCheckpoint,
  cosignatureLine,
  seenCheckpoint,
} from './checkpoint.witness.js';
export {
  type DifferingEntry,
  type IncludedLeaf,
  type SplitView,
  type SplitViewFinding,
  checkSplitView,
  parseSplitView,
  splitViewText,
} from './split.view.js';
export { WitnessRoll, witnessName } from './witness.roll.js';
