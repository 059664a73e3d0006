import { EntitySchema } from 'typeorm';
import { big, integer, key, optional, text } from '../persistence/column.types.js';

export type RunEventType = 'run-state' | 'round-state' | 'site-acted' | 'counted' | 'metric' | 'note';

/** One line of `coferment watch`. */
export interface EventRow {
  sequence: number;
  timeMs: number;
  run: string;
  type: RunEventType;
  state: string;
  site: string;
  text: string;
  /** The sum it is about. */
  sum: number | null;
}

export const EventEntity = new EntitySchema<EventRow>({
  name: 'event',
  columns: {
    sequence: { ...integer, ...key, generated: 'increment' },
    timeMs: { ...big, name: 'time_ms' },
    run: text,
    type: text,
    state: text,
    site: text,
    text,
    sum: { ...integer, ...optional },
  },
});
