import type { Normalisation, Ranges } from '@coferment/consortium';
import { EntitySchema } from 'typeorm';
import { integer, json, key, text } from '../persistence/column.types.js';

/** What a run has learnt after so many rounds: all that the next round depends on. */
export interface ModelStateRow {
  run: string;
  round: number;
  /** Digest of the model as members name it. */
  model: string;
  /** SHA-256 of the stored bytes: float64, little-endian. */
  object: string;
  ranges: Ranges;
  weightCap: number;
  normalisation: Normalisation;
}

export const ModelStateEntity = new EntitySchema<ModelStateRow>({
  name: 'model_state',
  columns: {
    run: { ...text, ...key },
    round: { ...integer, ...key },
    model: text,
    object: text,
    ranges: json,
    weightCap: { type: 'double precision', name: 'weight_cap' },
    normalisation: json,
  },
});
