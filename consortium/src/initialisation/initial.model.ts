import { xof } from '@coferment/crypto';
import { describeModel, type TensorDescription } from '../model-vector/index.js';
import { type Plan, planDigest } from '../plan/index.js';

/** Half-width of Glorot's uniform distribution (Glorot and Bengio, AISTATS 2010), for a kernel [inputs, outputs]. */
function glorotLimit(tensor: TensorDescription): number {
  const [inputs = 1, outputs = 1] = tensor.shape;
  return Math.sqrt(6 / (inputs + outputs));
}

/**
 * The first model of a run, the same for everyone who knows the plan and the sites: no member chooses it, and no two runs share it.
 * Every value is a 32-bit float, so TensorFlow.js trains from exactly these.
 * @param ordinal the run's ordinal for this plan.
 * @param siteIds the run's sites, in any order.
 */
export function initialModel(plan: Plan, ordinal: number, siteIds: readonly string[]): Float64Array {
  const stream = xof('initial-model', planDigest(plan), plan.seed, ordinal, siteIds.toSorted());
  const { tensors, parameters } = describeModel(plan);
  const values = new Float64Array(parameters);
  let offset = 0;
  for (const tensor of tensors) {
    switch (tensor.init) {
      case 'zeros':
        break;
      case 'glorot-uniform': {
        const limit = glorotLimit(tensor);
        for (let index = 0; index < tensor.size; index++) values[offset + index] = Math.fround((2 * stream.float53() - 1) * limit);
        break;
      }
    }
    offset += tensor.size;
  }
  return values;
}
