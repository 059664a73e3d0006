import { z } from 'zod';

const text = z.string().default('');
const count = z.number().int().min(0).default(0);
const names = z.array(z.string()).default([]);

const roundView = z.object({
  /** Training round, from 1; 0 for sums that are no training round. */
  round: count,
  kind: text,
  sum: count,
  attempt: count,
  state: text,
  counted: names,
  excluded: z.array(z.object({ site: z.string(), reason: z.string() })).default([]),
  /** Of the model that the round started from, over all counted holdouts. */
  metric: z.number().nullish(),
  openedMs: count,
  closedMs: count,
  cause: text,
  /** Ciphertext bytes that one site uploads for this sum. */
  uploadBytes: count,
});

const runView = z.object({
  run: z.string(),
  plan: z.string(),
  state: text,
  sites: names,
  keyHolders: names,
  threshold: count,
  collusionBound: count,
  attestQuorum: count,
  minContributors: count,
  fingerprint: text,
  roundsPlanned: count,
  roundsClosed: count,
  rounds: z.array(roundView).default([]),
  model: text,
  modelParameters: count,
  waitingFor: names,
  whatToDo: text,
  cause: text,
  /** Aggregation parameters as JSON text. */
  parameters: text,
});

const watchEvent = z.object({
  sequence: count,
  timeMs: count,
  /** run-state | round-state | site-acted | counted | metric | note */
  type: text,
  state: text,
  round: roundView.nullish(),
  site: text,
  text,
});

/** What the coordinator tells its operator. Only what the demo shows or writes down is read. */
export type RoundView = z.output<typeof roundView>;
export type RunView = z.output<typeof runView>;
export type WatchEvent = z.output<typeof watchEvent>;

export const readRunView = (value: unknown): RunView => runView.parse(value);
export const readWatchEvent = (value: unknown): WatchEvent => watchEvent.parse(value);

const FINAL = ['completed', 'aborted', 'failed'];

export function isFinished(run: RunView): boolean {
  return FINAL.includes(run.state);
}
