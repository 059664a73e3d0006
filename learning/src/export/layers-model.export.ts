import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeModel,
  featureNames,
  findVariable,
  type ModelDescription,
  type Normalisation,
  type Plan,
  planDigest,
} from '@coferment/consortium';
import * as tf from '@tensorflow/tfjs';
import { DenseNetwork } from '../model/dense.network.js';

/** Files of an exported model, relative to its folder. */
export const EXPORTED_FILES = { topology: 'model.json', weights: 'weights.bin', description: 'coferment.json' } as const;

/**
 * Writes the model in the TensorFlow.js layers format (model.json, weights.bin), which tf.loadLayersModel reads. Normalisation is folded into the first
 * and last layer: the exported model takes raw inputs in the plan's columns and units and gives the target in its unit, so nobody can feed it
 * numbers on the wrong scale. coferment.json beside it names the columns, units and plan. The same model gives the same bytes.
 * @throws LearningError 'backend-not-started', 'shape-mismatch'
 */
export async function exportLayersModel(plan: Plan, model: Float64Array, normalisation: Normalisation, dir: string): Promise<void> {
  const artifacts = await layersArtifacts(plan, model, normalisation);
  const topology = {
    format: 'layers-model',
    generatedBy: `TensorFlow.js tfjs-layers v${tf.version_layers}`,
    convertedBy: null,
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: [EXPORTED_FILES.weights], weights: artifacts.weightSpecs }],
  };
  const target = findVariable(plan.target.variable);
  const description = {
    schema: 1,
    plan: plan.plan,
    planDigest: planDigest(plan),
    inputs: featureNames(plan),
    target: { variable: plan.target.variable, unit: target?.unit },
    normalisation: { ...normalisation, folded: true },
  };
  await mkdir(dir, { recursive: true });
  await Promise.all([
    writeFile(join(dir, EXPORTED_FILES.topology), `${JSON.stringify(topology)}\n`),
    writeFile(join(dir, EXPORTED_FILES.weights), new Uint8Array(artifacts.weightData as ArrayBuffer)),
    writeFile(join(dir, EXPORTED_FILES.description), `${JSON.stringify(description, null, 2)}\n`),
  ]);
}

async function layersArtifacts(plan: Plan, model: Float64Array, normalisation: Normalisation): Promise<tf.io.ModelArtifacts> {
  const description = describeModel(plan);
  // Checks backend and length, and holds the tensors of the folded values in their shapes.
  const network = new DenseNetwork(plan, fold(description, model, normalisation), false);
  const layers = tf.sequential({ name: plan.plan.replaceAll('-', '_') });
  try {
    description.layers.forEach(({ name, units, activation }, index) =>
      layers.add(tf.layers.dense({ name, units, activation, ...(index === 0 && { inputShape: [description.inputs] }) })),
    );
    layers.setWeights([...network.weights]);
    let saved: tf.io.ModelArtifacts | undefined;
    await layers.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    return saved!;
  } finally {
    layers.dispose();
    network.dispose();
  }
}

/** W·(x − mean)/std + b = (W/std)·x + (b − Σ W·mean/std); the head's outputs times targetStd plus targetMean. In doubles. */
function fold(
  { inputs, layers, tensors }: ModelDescription,
  model: Float64Array,
  { mean, std, targetMean, targetStd }: Normalisation,
): Float64Array {
  const folded = Float64Array.from(model);
  const width = layers[0]!.units;
  const bias = inputs * width;
  for (let input = 0; input < inputs; input++) {
    for (let unit = 0; unit < width; unit++) {
      const kernel = model[input * width + unit]! / std[input]!;
      folded[input * width + unit] = kernel;
      folded[bias + unit]! -= kernel * mean[input]!;
    }
  }
  const headSize = tensors.at(-1)!.size + tensors.at(-2)!.size;
  const head = folded.length - headSize;
  for (let index = head; index < folded.length; index++) folded[index]! *= targetStd;
  folded[folded.length - 1]! += targetMean;
  return folded;
}
