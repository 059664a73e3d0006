import { z } from 'zod';

const seconds = z.number().nonnegative();

const round = z.object({
  round: z.int(),
  state: z.string(),
  counted: z.int(),
  excluded: z.array(z.object({ site: z.string(), reason: z.string() })),
  dropped: z.array(z.object({ site: z.string(), kind: z.enum(['silent', 'cut', 'killed']) })),
  seconds,
  /** Seconds in each state of the sum. */
  phases: z.record(z.string(), seconds),
  /** Of one ciphertext. */
  uploadBytes: z.number(),
  /** Processor time of the coordinator in this round. */
  coordinatorCpuSeconds: seconds,
});

const growth = z.object({ secondQuarter: z.number(), lastQuarter: z.number(), ratio: z.number() });

/** The report of `npm run load`. Megabytes are 10⁶ bytes. */
export const loadReportSchema = z.object({
  tool: z.literal('load'),
  date: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.int(), node: z.string(), loadBefore: z.number(), loadAfter: z.number() }),
  database: z.enum(['embedded', 'postgresql']),
  agents: z.int(),
  roundsAsked: z.int(),
  drop: z.number(),
  seed: z.int(),
  fewestContributors: z.int(),
  state: z.string(),
  joinSeconds: seconds,
  /** Seconds that the run was in each of its states, in their order. */
  stages: z.array(z.object({ state: z.string(), seconds })),
  rounds: z.array(round),
  coordinator: z.object({
    cpuSeconds: seconds,
    ceremonyCpuSeconds: seconds,
    logBytes: z.number(),
    /** While rounds ran. */
    rssMB: growth,
    heapMB: growth,
    samples: z.array(z.object({ atSeconds: seconds, rssMB: z.number(), heapMB: z.number(), cpuSeconds: seconds })),
  }),
  ledgerEntries: z.int(),
  events: z.int(),
  /** What agents refused, and how often. */
  refusals: z.array(z.object({ text: z.string(), times: z.int() })),
});

export type LoadReport = z.infer<typeof loadReportSchema>;
export type LoadRound = LoadReport['rounds'][number];
