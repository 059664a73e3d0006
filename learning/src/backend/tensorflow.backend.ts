import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { LearningError } from '../errors/learning.error.js';
import { selfCheck } from './self-check.rule.js';

/** What computes: WebAssembly, plain JavaScript, or TensorFlow's C library where the site has installed it. */
export type BackendInUse = 'wasm' | 'cpu' | 'tensorflow';
/** `auto` takes `tensorflow` if it is installed and computes the same as wasm, else `wasm`. */
export type BackendName = BackendInUse | 'auto';

/** An optional peer: its installation downloads the C library, which a closed network does not allow. Loaded by name at run time only. */
const OPTIONAL_PEER: string = '@tensorflow/tfjs-node';
const EMSCRIPTEN_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

let inUse: BackendInUse | undefined;

/**
 * Chooses what TensorFlow.js computes with; call it once before anything else here. Two backends round differently, so the result is recorded
 * with every contribution.
 * @returns the backend in use.
 * @throws LearningError 'backend-unavailable'
 */
export async function initBackend(name: BackendName): Promise<BackendInUse> {
  // Without it TensorFlow.js prints advertisements for its native package, and checks every tensor for NaN.
  tf.enableProdMode();
  inUse = await start(name);
  return inUse;
}

/** @throws LearningError 'backend-not-started' */
export function backendInUse(): BackendInUse {
  if (inUse === undefined)
    throw new LearningError('backend-not-started', 'No backend was chosen; call initBackend before training or predicting.');
  return inUse;
}

/** The version of TensorFlow.js: another one may round differently. */
export function engineVersion(): string {
  return tf.version.tfjs;
}

async function start(name: BackendName): Promise<BackendInUse> {
  switch (name) {
    case 'wasm':
      await startWasm();
      return 'wasm';
    case 'cpu':
      await select('cpu');
      return 'cpu';
    case 'tensorflow':
      await startTensorflow();
      return 'tensorflow';
    case 'auto':
      return (await tensorflowAgreesWithWasm()) ? start('tensorflow') : start('wasm');
  }
}

async function startWasm(): Promise<void> {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  if (tf.findBackend('wasm') === null) {
    setWasmPaths(`${folder}/`);
    // One thread: sums are then always added in the same order, and an agent leaves the other cores alone.
    setThreadsCount(1);
  }
  // Emscripten's start-up code turns every unhandled rejection of the whole process into a throw of its own; the process has its own handling.
  const before = EMSCRIPTEN_EVENTS.map((event) => new Set(process.listeners(event as 'uncaughtException')));
  await select('wasm');
  EMSCRIPTEN_EVENTS.forEach((event, index) => {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[index]!.has(listener)) process.removeListener(event, listener);
    }
  });
}

async function startTensorflow(): Promise<void> {
  try {
    await import(OPTIONAL_PEER);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new LearningError(
      'backend-unavailable',
      `The backend "tensorflow" needs the package ${OPTIONAL_PEER}, which could not be loaded (${reason}). Install it beside the agent, or choose "wasm".`,
    );
  }
  await select('tensorflow');
}

async function select(name: BackendInUse): Promise<void> {
  let ready = false;
  try {
    ready = await tf.setBackend(name);
  } catch {
    ready = false;
  }
  if (!ready)
    throw new LearningError('backend-unavailable', `The backend "${name}" did not start on this machine; choose "wasm" or "cpu".`);
}

async function tensorflowAgreesWithWasm(): Promise<boolean> {
  await startWasm();
  const expected = selfCheck();
  try {
    await startTensorflow();
    const got = selfCheck();
    return expected.every((value, index) => Math.abs(value - got[index]!) <= 1e-4 * Math.max(1, Math.abs(value)));
  } catch {
    return false;
  }
}
