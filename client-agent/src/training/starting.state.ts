import { canonicalBytes, type StrategyState } from '@coferment/consortium';

const LINE_END = 10;

/**
 * The state that a sum starts from, as it is kept for `reproduce`: one line of JSON, then the model. Models are 32-bit floats (see checkModel), so four bytes
 * a parameter lose nothing.
 */
export function encodeState({ model, ...rest }: StrategyState): Uint8Array {
  const values = Float32Array.from(model);
  return Buffer.concat([canonicalBytes(rest), Buffer.of(LINE_END), new Uint8Array(values.buffer)]);
}

/** Inverse of {@link encodeState}, for bytes whose digest was compared. */
export function decodeState(bytes: Uint8Array): StrategyState {
  const end = bytes.indexOf(LINE_END);
  const rest = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8')) as Omit<StrategyState, 'model'>;
  return { ...rest, model: Float64Array.from(new Float32Array(bytes.slice(end + 1).buffer)) };
}
