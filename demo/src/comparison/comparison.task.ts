import { z } from 'zod';

/** What the comparing process is told, as one JSON argument. */
export const comparisonTaskSchema = z.strictObject({
  planFile: z.string(),
  sites: z.array(z.strictObject({ id: z.string(), mappingFile: z.string(), recordsFolder: z.string() })).min(1),
  /** Rounds that were applied; each baseline trains as long. */
  rounds: z.number().int().min(1),
  seed: z.number().int().min(0),
  /** Unit of the target. */
  unit: z.string(),
  /** Folder of the exported model. */
  modelFolder: z.string(),
});

export type ComparisonTask = z.output<typeof comparisonTaskSchema>;
