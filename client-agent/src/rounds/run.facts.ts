import { type EpochPosition, MOST_EPOCHS, type Plan, parseRoster, type Roster } from '@coferment/consortium';
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
function requireFollowed(context: SiteContext, run: string): RunRecord {
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

/** Epoch numbers only grow: a step of the ceremony is taken in the newest epoch that this site has approved, or in a newer one. */
export function requireGrowingEpoch(context: SiteContext, run: string, epoch: number): void {
  const newest = context.journal.runs.epochs(run).at(-1)?.epoch ?? 1;
  if (epoch >= newest && epoch <= MOST_EPOCHS) return;
  throw new AgentError(
    'epoch-not-growing',
    `Key epoch ${epoch} of ${run} is refused: this site has approved epoch ${newest}, epoch numbers only grow, and a run has at most ${MOST_EPOCHS}.`,
  );
}

/** What is signed and opened belongs to the newest epoch whose E this site has signed; older ones are over, and their secrets erased. */
function requireCurrentEpoch(context: SiteContext, run: string, epoch: number): void {
  const agreed = context.journal.runs.newestAgreed(run);
  if (epoch >= agreed) return;
  throw new AgentError(
    'epoch-over',
    `Nothing is signed, encrypted or opened in key epoch ${epoch} of ${run} any more: this site has signed epoch ${agreed}.`,
  );
}

/** @throws AgentError 'not-a-member' for a site that is left out of the epoch: it may attest, and puts nothing into a sum */
export function requireContributor({ roster, position }: EpochFacts, site: string): void {
  if (!roster.leftOut.includes(site)) return;
  throw new AgentError(
    'not-a-member',
    `This site is left out of key epoch ${position.epoch} of ${position.run} and contributes nothing in it.`,
  );
}

/** For the ceremony. @throws AgentError 'epoch-not-growing' for an epoch before the newest that this site has approved */
export function loadCeremony(context: SiteContext, run: string, epoch: number): Promise<EpochFacts> {
  requireGrowingEpoch(context, run, epoch);
  return loadEpoch(context, run, epoch);
}

/** For what is signed, encrypted or opened. @throws AgentError 'not-approved' before this site has approved the roster of the epoch, 'epoch-over' */
export async function loadEpoch(context: SiteContext, runId: string, epoch: number): Promise<EpochFacts> {
  const run = requireRun(context, runId, epoch);
  requireCurrentEpoch(context, runId, epoch);
  return epochFacts(context, run, epoch);
}

/** For following the model: sums that were opened in an earlier epoch, or before the run ended, are still applied. */
export async function loadFollowedEpoch(context: SiteContext, runId: string, epoch: number): Promise<EpochFacts> {
  return epochFacts(context, requireFollowed(context, runId), epoch);
}

async function epochFacts(context: SiteContext, run: RunRecord, epoch: number): Promise<EpochFacts> {
  const runId = run.run;
  const record = context.journal.runs.epoch(runId, epoch);
  if (record === undefined) throw new AgentError('not-approved', `This site has not approved a roster for epoch ${epoch} of ${runId}.`);
  const plan = await loadPlan(context, run.plan);
  const roster = await loadRoster(context, record.roster);
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

export async function loadRoster(context: SiteContext, digest: string): Promise<Roster> {
  return parseRoster(await published(context, digest, MAX_ROSTER_BYTES));
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
