import { digest } from '@coferment/crypto';
import { ConsortiumError } from '../errors/index.js';
import { featureColumns, type Plan } from '../plan/index.js';

/** How a tensor gets its first values. */
export type TensorInit = 'zeros' | 'glorot-uniform';

/** One weight array; its values are stored row by row, tensors one after the other. */
export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly init: TensorInit;
}

/** A layer of the model: `units` outputs after `activation`. Layers have a kernel [inputs, units] and a bias [units]. */
export interface LayerDescription {
  readonly name: string;
  readonly units: number;
  readonly activation: 'linear' | 'relu' | 'tanh' | 'sigmoid';
}

/** Everything about a model but its values. `parameters` is the length of its value vector. */
export interface ModelDescription {
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: readonly LayerDescription[];
  readonly tensors: readonly TensorDescription[];
  readonly parameters: number;
}

function layersOf(plan: Plan): LayerDescription[] {
  const output: LayerDescription = { name: 'output', units: 1, activation: 'linear' };
  switch (plan.model.kind) {
    case 'linear':
      return [output];
    case 'mlp': {
      const { hidden, activation } = plan.model;
      return [...hidden.map((units, index) => ({ name: `hidden${index + 1}`, units, activation })), output];
    }
  }
}

/** The model that a plan declares; tensors in the order in which TensorFlow.js lists a dense layer's weights: kernel, bias. */
export function describeModel(plan: Plan): ModelDescription {
  const inputs = featureColumns(plan).length;
  const layers = layersOf(plan);
  const tensors: TensorDescription[] = [];
  let width = inputs;
  for (const { name, units } of layers) {
    tensors.push({ name: `${name}/kernel`, shape: [width, units], size: width * units, init: 'glorot-uniform' });
    tensors.push({ name: `${name}/bias`, shape: [units], size: units, init: 'zeros' });
    width = units;
  }
  return { inputs, outputs: 1, layers, tensors, parameters: tensors.reduce((total, tensor) => total + tensor.size, 0) };
}

/** Refuses values that are not a model of this description: another length, or a value that float32 cannot hold exactly. */
export function checkModel(description: ModelDescription, values: Float64Array): void {
  if (values.length !== description.parameters) {
    throw new ConsortiumError('wrong-length', `a model of this plan has ${description.parameters} values, not ${values.length}`);
  }
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value) || Math.fround(value) !== value)
      throw new ConsortiumError('out-of-range', `value ${index} of the model is ${value}, which is no finite 32-bit float`);
  }
}

/** Values as float64, little-endian, in the order of the tensors: the file format of a model and what its digest covers. */
export function modelBytes(values: Float64Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}

/** Inverse of {@link modelBytes}, for a downloaded model. @throws ConsortiumError 'wrong-length' or 'out-of-range' */
export function modelFromBytes(description: ModelDescription, bytes: Uint8Array): Float64Array {
  if (bytes.length !== description.parameters * 8) {
    throw new ConsortiumError('wrong-length', `a model of this plan has ${description.parameters * 8} bytes, not ${bytes.length}`);
  }
  const values = new Float64Array(description.parameters);
  new Uint8Array(values.buffer).set(bytes);
  checkModel(description, values);
  return values;
}

/** Names a model: its tensors and its values. */
export function modelDigest(description: ModelDescription, values: Float64Array): string {
  checkModel(description, values);
  const tensors = description.tensors.map(({ name, shape }) => [name, shape] as const);
  return digest('model', tensors, modelBytes(values));
}
