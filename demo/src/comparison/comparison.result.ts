import { z } from 'zod';

const error = z.number().min(0);

/** Errors of models that only the demo can make, because it owns the records of every site. */
export const comparisonSchema = z.object({
  sites: z.array(z.object({ id: z.string(), localOnly: error, ownTest: z.object({ localOnly: error, federated: error }) })),
  metric: z.object({ name: z.string(), unit: z.string(), localOnly: error, federated: error, pooled: error }),
});

export type Comparison = z.output<typeof comparisonSchema>;
