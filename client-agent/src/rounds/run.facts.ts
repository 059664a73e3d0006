import { type EpochPosition, type Plan, parseRoster, type Roster } from '@coferment/consortium';
import { type AggregationParameters, hexToBytes } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { RunRecord } from '../journal/runs.repository.js';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { MAX_PLAN_BYTES, readPlan } from '../policy/plan.policy.js';
import { MAX_ROSTER_BYTES } from '../policy/roster.policy.js';
import { deadText } from './run.departure.js';
import type { SiteContext } from './site.context.js';

/** What this site knows of a key epoch it has approved: from its own journal and from objects whose digests stand there. */
export interface EpochFacts {
  run: RunRecord;
  plan: Plan;
  roster: Roster;
  position: EpochPosition;
  /** E once this site has signed the epoch. */
  e: string | null;
  parameters: AggregationParameters;
  /** Position among the key holders, or −1. */
  holderIndex: number;
  secrets: EpochSecrets;
}

/** @throws AgentError 'not-approved', 'epoch-dead' or 'run-closed' for a run or key epoch in which this site signs, encrypts and opens nothing */
export function requireRun(context: SiteContext, run: string, epoch?: number): RunRecord {
  const record = requireFollowed(context, run);
  const dead = epoch === undefined ? undefined : context.journal.ownActs.whyDead(run, epoch);
  if (epoch !== undefined && dead !== undefined) throw new AgentError('epoch-dead', deadText(run, epoch, dead));
  if (record.state === 'closed')
    throw new AgentError('run-closed', `${run} is closed (${record.detail}); its keys are erased and nothing more is signed in it.`);
  return record;
}

/** Sums that were opened before the end may be applied after it: that needs no key and signs nothing. */
export function requireFollowed(context: SiteContext, run: string): RunRecord {
  const record = context.journal.runs.get(run);
  if (record === undefined || record.state === 'asked') {
    throw new AgentError('not-approved', `This site has not approved ${run}; nothing is done in it.`);
  }
  if (record.state === 'dead') throw new AgentError('epoch-dead', `This site takes no further part in ${run}: ${record.detail}`);
  return record;
}

export async function loadPlan(context: SiteContext, digest: string): Promise<Plan> {
  return readPlan(await published(context, digest, MAX_PLAN_BYTES));
}

/** Nobody signs for what this version cannot carry through: a run has one key epoch. @throws AgentError 'not-built-yet' */
export function requireBuiltEpoch(run: string, epoch: number): void {
  if (epoch === 1) return;
  throw new AgentError(
    'not-built-yet',
    `Key epoch ${epoch} of ${run} is refused: a second key epoch comes in a later version. Ask the operator to launch a new run.`,
  );
}

/**
 * @param require which runs are let through
 * @throws AgentError 'not-approved' before this site has approved the roster of the epoch
 */
export async function loadEpoch(
  context: SiteContext,
  runId: string,
  epoch: number,
  require: typeof requireRun = requireRun,
): Promise<EpochFacts> {
  const run = require(context, runId, epoch);
  requireBuiltEpoch(runId, epoch);
  const record = context.journal.runs.epoch(runId, epoch);
  if (record === undefined) throw new AgentError('not-approved', `This site has not approved a roster for epoch ${epoch} of ${runId}.`);
  const plan = await loadPlan(context, run.plan);
  const roster = parseRoster(await published(context, record.roster, MAX_ROSTER_BYTES));
  return {
    run,
    plan,
    roster,
    position: { consortium: context.consortium, run: runId, epoch, e0: record.e0 },
    e: record.e,
    parameters: roster.parameters,
    holderIndex: roster.keyHolders.findIndex((holder) => holder.site === context.site),
    secrets: new EpochSecrets(context.store, runId, epoch),
  };
}

/** A published object, from this site's own copy where there is one. */
export async function published(context: SiteContext, digest: string, maxBytes: number): Promise<Uint8Array> {
  const own = context.objects.read(digest);
  if (own !== undefined) return own;
  const bytes = await context.port.download(digest, maxBytes);
  context.objects.store(bytes);
  return bytes;
}

export function sealingKeyOf(roster: Roster, site: string): Uint8Array {
  const entry = roster.sealingKeys.find((candidate) => candidate.site === site);
  if (entry === undefined) throw new AgentError('roster-rules', `The roster has no sealing key of "${site}".`);
  return hexToBytes(entry.key);
}
