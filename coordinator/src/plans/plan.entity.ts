import { EntitySchema } from 'typeorm';
import { big, key, text } from '../persistence/column.types.js';

export interface PlanRow {
  digest: string;
  name: string;
  publishedMs: number;
}

export const PlanEntity = new EntitySchema<PlanRow>({
  name: 'plan',
  columns: { digest: { ...text, ...key }, name: text, publishedMs: { ...big, name: 'published_ms' } },
});
