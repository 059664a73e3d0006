export {
  checkModel,
  describeModel,
  type LayerDescription,
  type ModelDescription,
  modelBytes,
  modelDigest,
  modelFromBytes,
  type TensorDescription,
  type TensorInit,
} from './model.description.js';
export {
  confirmVector,
  decodeExact,
  encodeExact,
  ERROR_SCALE,
  type ExactField,
  exactFields,
  exactNames,
  STATISTICS_SCALE,
  vectorShape,
} from './sum.layout.js';
