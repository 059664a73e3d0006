import { describeModel, type Normalisation, type Plan, parsePlan } from '@coferment/consortium';
import { xof } from '@coferment/crypto';

/** 18 inputs, 12 hidden units, 241 parameters. */
export const networkPlan = (): Plan =>
  parsePlan({
    schema: 1,
    plan: 'attacked-network',
    sample: {
      of: ['temperature', 'ph', 'dissolved_oxygen', 'stirrer_speed', 'air_flow', 'pressure'],
      summarise: ['last', 'mean', 'slope'],
    },
    target: { variable: 'product_concentration' },
    model: { kind: 'mlp', hidden: [12], activation: 'relu' },
    training: { initialRange: 0.05 },
  });

export interface Rows {
  inputs: number[][];
  targets: number[];
}

/** Invented records of a site, in raw units near zero; every site's process is a little different. */
export function exampleRows(site: string, inputs: number, count = 40): Rows {
  const stream = xof('attack-example-rows', site);
  const normal = (): number => Array.from({ length: 12 }, () => stream.float53()).reduce((sum, draw) => sum + draw, -6);
  const slopes = Array.from({ length: inputs }, () => normal());
  const rows = Array.from({ length: count }, () => Array.from({ length: inputs }, normal));
  return { inputs: rows, targets: rows.map((row) => row.reduce((sum, value, index) => sum + value * slopes[index]!, normal())) };
}

/** One gradient step of a network with one hidden layer of rectified units, on the mean squared error: the update a site would send. */
export function trainOneStep(
  plan: Plan,
  model: Float64Array,
  normalisation: Normalisation,
  { inputs, targets }: Rows,
  rate = 0.01,
): Float64Array {
  const { tensors, parameters } = describeModel(plan);
  const [width, units] = tensors[0]!.shape as [number, number];
  const [bias, out, outBias] = [width * units, width * units + units, width * units + 2 * units];
  const update = new Float64Array(parameters);
  inputs.forEach((raw, row) => {
    const x = raw.map((value, k) => (value - normalisation.mean[k]!) / normalisation.std[k]!);
    const hidden = Array.from({ length: units }, (_, j) =>
      Math.max(
        0,
        x.reduce((sum, value, k) => sum + value * model[k * units + j]!, model[bias + j]!),
      ),
    );
    const prediction = hidden.reduce((sum, value, j) => sum + value * model[out + j]!, model[outBias]!);
    const target = (targets[row]! - normalisation.targetMean) / normalisation.targetStd;
    const step = (-2 * rate * (prediction - target)) / inputs.length;
    update[outBias]! += step;
    hidden.forEach((value, j) => {
      if (value <= 0) return;
      update[out + j]! += step * value;
      const back = step * model[out + j]!;
      update[bias + j]! += back;
      x.forEach((input, k) => (update[k * units + j]! += back * input));
    });
  });
  return update;
}

/** An input for which no hidden unit of the model is on: perceptron steps away from every unit that still is. */
export function silencingInput(plan: Plan, model: Float64Array): number[] {
  const [width, units] = describeModel(plan).tensors[0]!.shape as [number, number];
  const input = Array.from({ length: width }, () => 0);
  const excitation = (j: number): number => input.reduce((sum, value, k) => sum + value * model[k * units + j]!, model[width * units + j]!);
  for (let steps = 0; steps < 100_000; steps++) {
    const on = Array.from({ length: units }, (_, j) => j).find((j) => excitation(j) > -1);
    if (on === undefined) return input;
    for (let k = 0; k < width; k++) input[k]! -= 0.2 * model[k * units + on]!;
  }
  throw new Error('this model has no silencing input');
}
