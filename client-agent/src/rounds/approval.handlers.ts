import {
  describeChanges,
  describeMembers,
  epochZero,
  formatFingerprint,
  missingSites,
  type Plan,
  resolveQuorum,
  type Roster,
} from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { InstructionBody } from '../connection/instruction.parser.js';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { checkOrdinal, checkRunRequest, describePlan } from '../policy/plan.policy.js';
import { checkRosterFor } from '../policy/roster.policy.js';
import { askingRules, decide, passRequest, requireConsent } from './policy.gate.js';
import { loadPlan, loadRoster, requireGrowingEpoch, requireRun } from './run.facts.js';
import { DONE, type Outcome, type SiteContext, waiting } from './site.context.js';

/** A run of a plan on this site's data: checked by the machine, decided by a person of this site, signed once. */
export async function approvePlan(context: SiteContext, body: InstructionBody<'approvePlan'>): Promise<Outcome> {
  const { run, ordinal, plan: digest, sites } = body;
  const { journal, consortium, site } = context;
  journal.runs.requireRoom(run);
  const plan = await loadPlan(context, digest);
  checkRunRequest({ run, ordinal, plan: digest, sites }, site, plan);
  const record = journal.runs.announce(run, digest, ordinal, sites);
  const judgement = passRequest(context, body, plan);
  if (record.state === 'asked') {
    checkOrdinal(run, ordinal, journal.runs.largestApprovedOrdinal(digest, run));
    const decision = decide(context, body, judgement);
    switch (decision) {
      case 'approved':
        journal.runs.setState(run, 'approved');
        break;
      case 'rejected':
      case 'withdrawn':
        break;
      case 'other-sites':
      case 'undecided':
        return waiting(
          `The plan ${describePlan(plan)} waits for this site's approval (run ${run}, ordinal ${ordinal}, sites ${sites.join(', ')}).${askingRules(judgement)}`,
          `Read it: coferment-agent plans show ${digest}; then: coferment-agent plans approve ${digest}${ordinal === 1 ? '' : ` --ordinal ${ordinal}`}`,
        );
    }
  }
  // Also where it was approved, and nobody has been told yet.
  requireConsent(context, body);
  requireRun(context, run);
  const approval = journal.statements.sign(run, 'plan-approved', '', { consortium, site, plan: digest, ordinal, sites });
  await context.port.submitStatement(approval.envelope);
  return DONE;
}

/** A sealing key of this run and epoch only, signed by the identity key (S1). */
export async function offerSealingKey(context: SiteContext, body: InstructionBody<'offerSealingKey'>): Promise<Outcome> {
  const { run, ordinal, plan, epoch } = body;
  const { journal, consortium, site } = context;
  const record = requireRun(context, run, epoch);
  requireGrowingEpoch(context, run, epoch);
  if (record.plan !== plan || record.ordinal !== ordinal)
    throw new AgentError('run-changed', `${run} was approved for another plan or ordinal.`);
  const drawn = () => bytesToHex(new EpochSecrets(context.store, run, epoch).drawSealingKey().publicKey);
  const offer =
    journal.statements.find(run, 'sealing-key', String(epoch)) ??
    journal.statements.sign(run, 'sealing-key', String(epoch), { consortium, run, epoch, site, key: drawn() });
  await context.port.submitStatement(offer.envelope);
  return DONE;
}

/** The members of a key epoch: checked by the machine, and by people over another channel through the fingerprint (S1). */
export async function approveRoster(context: SiteContext, body: InstructionBody<'approveRoster'>): Promise<Outcome> {
  const { run, epoch, roster: digest } = body;
  const { journal, consortium, site, identity } = context;
  const record = requireRun(context, run, epoch);
  requireGrowingEpoch(context, run, epoch);
  const plan = await loadPlan(context, record.plan);
  const roster = await loadRoster(context, digest);
  const approvedBefore = journal.runs.epochs(run).findLast((earlier) => earlier.epoch < epoch);
  const rosterBefore = approvedBefore === undefined ? undefined : await loadRoster(context, approvedBefore.roster);
  const isOpen = journal.runs.epoch(run, epoch) !== undefined;
  // Whoever is left out was not asked for one.
  const sealingKey = roster.leftOut.includes(site) ? undefined : new EpochSecrets(context.store, run, epoch).sealingKey().publicKey;
  const own = { site, identityKey: identity.publicKey, sealingKey };
  // Once the epoch is open its own sums have numbers; which roster it is can then no longer change.
  const largestSum = isOpen ? 0 : journal.rounds.largestSum(run);
  const expected = { consortium, run, epoch, plan, sites: record.sites, own, before: rosterBefore, largestSum };
  const fingerprint = checkRosterFor(roster, { ...expected, mayBeFewer: !hasForgotten(context, run, epoch) });
  const e0 = epochZero({ consortium, run, ordinal: record.ordinal, epoch, plan: record.plan, roster: digest });
  const missing = missingSites(roster, rosterBefore?.sites.map((member) => member.site) ?? record.sites);
  const offer = { run, epoch, roster: digest, fingerprint };
  if (!isOpen && !(missing.length === 0 ? journal.approvals.useRoster(fingerprint) : journal.approvals.useShownRoster(offer))) {
    const before = journal.approvals.lastRoster();
    const changed =
      before === undefined ? 'has not been approved here yet' : `differs from the last one approved here (${formatFingerprint(before)})`;
    const news = rosterBefore === undefined ? '' : ` In key epoch ${epoch}, ${describeChanges(rosterBefore, roster)}.`;
    return waiting(
      missing.length === 0
        ? `The roster of ${run} ${changed}.${news} Its fingerprint is ${formatFingerprint(fingerprint)} (${describeMembers(roster)}).`
        : `${describeMissing(plan, roster, record.sites, missing)} The fingerprint of the roster of ${run} is ${formatFingerprint(fingerprint)} (${describeMembers(roster)}).`,
      `Compare it with the other sites by telephone or on paper, never through the coordinator${missing.length === 0 ? '' : ', and ask those that are missing'}. If it is the same: coferment-agent roster approve ${fingerprint}`,
      offer,
    );
  }
  journal.runs.openEpoch({ run, epoch, roster: digest, fingerprint, e0 });
  const approval = journal.statements.sign(run, 'roster-approved', String(epoch), {
    consortium,
    run,
    epoch,
    site,
    roster: digest,
    fingerprint,
    e0,
  });
  await context.port.submitStatement(approval.envelope);
  return DONE;
}

/** Whether this site has signed in an earlier epoch of the run and has restored a folder since: then it does not know what its first roster was. */
function hasForgotten({ journal }: SiteContext, run: string, epoch: number): boolean {
  return journal.ownActs.deadEpochs().some((dead) => dead.run === run && dead.epoch < epoch);
}

/** Who approved the plan among more sites must see what it is among fewer: the numbers that protect them are smaller too. */
function describeMissing(plan: Plan, { numbers }: Roster, asked: readonly string[], missing: readonly string[]): string {
  const first = resolveQuorum(plan, asked.length);
  const names = missing.join(', ');
  return `${names} ${missing.length === 1 ? 'is' : 'are'} missing: this site approved the run for ${asked.length} sites (c = ${first.c}, sums over at least ${first.minContributors}), the roster has ${numbers.n} (c = ${numbers.c}, at least ${numbers.minContributors}). Either they had not approved by the deadline, or the coordinator leaves them out.`;
}
