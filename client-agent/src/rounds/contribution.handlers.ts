import {
  commitmentOf,
  ConsortiumError,
  type NonceEntry,
  peekStatement,
  refusalSubjects,
  signStatement,
  updateBits,
} from '@coferment/consortium';
import { LearningError } from '@coferment/learning';
import { ObjectPurpose } from '@coferment/proto';
import { AgentError } from '../agent.error.js';
import type { InstructionBody, SumName } from '../connection/instruction.parser.js';
import { openingsOf, type StoredVector } from '../journal/stored.vector.js';
import type { SignedStatement } from '../journal/statements.repository.js';
import { confirmationVector } from '../training/site.trainer.js';
import type { SiteRefusal } from '../policy/site.refusal.js';
import { refusalOfSum } from './policy.gate.js';
import { tellingOf } from './refusal.telling.js';
import { encodeState } from '../training/starting.state.js';
import { storeBlocks } from './block.storing.js';
import { type EpochFacts, loadEpoch, requireContributor } from './run.facts.js';
import { DONE, LATER, type Outcome, type SiteContext } from './site.context.js';
import { rebuildK, rebuildSum, type SumFacts, timingOf } from './sum.context.js';

type DeclineReason = 'nonce-lost' | 'ciphertext-lost' | 'refused' | 'no-data' | 'withdrawn';

/** Trains, stores the vector durably, then sends a fresh nonce (R0, R2). */
export async function prepareSum(context: SiteContext, { name }: InstructionBody<'prepareSum'>): Promise<Outcome> {
  const { journal, consortium, site } = context;
  const facts = await loadEpoch(context, name.run, name.epoch);
  requireContributor(facts, site);
  const progress = journal.models.progress(name.run);
  const timing = timingOf(name, facts, progress);
  if (timing === 'past') return DONE;
  if (timing === 'ahead') return LATER;
  const sum = rebuildSum(name, facts, progress);
  if (sum.confirms !== null && sum.confirms !== site)
    throw new AgentError('wrong-site', `Sum ${name.sum} confirms the key of "${sum.confirms}", not of this site.`);
  if (journal.rounds.frozenT(name.run, name.sum) !== undefined)
    throw new AgentError('sum-changed', `Sum ${name.sum} of ${name.run} is frozen; a new attempt at it is refused.`);
  const last = journal.rounds.lastEncrypted(name.run);
  if (last !== undefined && (last.sum > name.sum || (last.sum === name.sum && last.attempt >= name.attempt))) {
    return decline(context, facts, name, 'nonce-lost');
  }
  const refusal = refusalOfSum(context, facts, sum);
  if (refusal !== undefined) return sitOut(context, facts, name, refusal);
  if (name.kind === 'update') journal.runs.noteTraining(name.run, name.round);
  try {
    await ensureVector(context, facts, sum);
  } catch (error) {
    const reason = reasonToSitOut(error);
    if (reason !== null) await decline(context, facts, name, reason);
    throw error;
  }
  if (journal.models.progress(name.run).appliedSum >= name.sum) return DONE;
  const nonce = context.nonces.draw(name.run, name.sum, name.attempt);
  const { e, kind, attempt } = sum.position;
  // Training takes long, and a nonce is signed without the journal.
  journal.evidence.requireNone();
  const opening = { consortium, run: name.run, e, kind, sum: name.sum, i: sum.i, attempt, site, nonce };
  await context.port.submitNonce(signStatement('nonce', opening, context.identity));
  journal.steps.record(name, 'give-nonce');
  return DONE;
}

/** What the coordinator is told when this site stays out of a sum by its own decision; null where it may still join. */
function reasonToSitOut(error: unknown): DeclineReason | null {
  if (error instanceof LearningError) return 'no-data';
  if (!(error instanceof AgentError)) return null;
  if (error.code === 'vector-spent') return 'no-data';
  return error.code === 'weight-drowned' ? 'refused' : null;
}

/** The one vector of this key: from the journal, or made and stored there. */
async function ensureVector(context: SiteContext, facts: EpochFacts, sum: SumFacts): Promise<void> {
  const { journal } = context;
  const { kind, run, round } = sum.name;
  if (kind === 'confirm' || journal.rounds.vector(facts.run.plan, kind, sum.modelIn) !== undefined) {
    journal.steps.record(sum.name, 'train');
    return;
  }
  if (journal.ownActs.hasForgottenUpload(run, kind)) {
    throw new AgentError(
      'vector-spent',
      `This site has sent a ${kind} vector for the present model of ${run} that its restored journal has lost. A second one could tell about records by the difference of the two, so it sits this sum out.`,
    );
  }
  requireAudible(context, facts, sum);
  const { plan, parameters } = facts;
  const job =
    sum.state === null || kind === 'statistics'
      ? { kind: 'statistics' as const, plan, parameters }
      : { kind, plan, parameters, state: sum.state };
  const { vector, report } = await context.trainer.build(job);
  // Other work went on during the training, and may have ended the run or this epoch: what was erased with it must not come back.
  await loadEpoch(context, run, sum.name.epoch);
  const { epoch, sum: number } = sum.name;
  const start = 'state' in job ? context.objects.store(encodeState(job.state)) : null;
  journal.transaction(() => {
    const origin = { run, epoch, sum: number, round, start, ...context.trainer.source };
    journal.rounds.keepVector(facts.run.plan, kind, sum.modelIn, vector, origin);
    journal.steps.record(sum.name, 'train');
  });
  context.tell({ event: 'trained', run, round, sum: sum.name.sum, kind, ...report });
}

/**
 * Before it trains: cap and ranges, which follow from what all sites told in the statistics sum, must leave something of this site's update. One false row
 * count can keep the model where it is, and then sums over different sets all but subtract.
 */
function requireAudible({ trainer }: SiteContext, { plan, parameters }: EpochFacts, { name, state }: SumFacts): void {
  if (name.kind !== 'update' || state === null) return;
  const rows = trainer.trainingRows(plan);
  // Training refuses that by itself, and says why there are none.
  if (rows === 0) return;
  const { weight, cap, bits, least } = updateBits(plan, state, rows, parameters.valueBits);
  if (bits >= least) return;
  throw new AgentError(
    'weight-drowned',
    `This site takes no part in sum ${name.sum} of ${name.run}: under the weight cap of ${cap} and the ranges of this run, ` +
      `its weight of ${weight} leaves ${Math.max(bits, 0).toFixed(1)} of ${parameters.valueBits} bits of its update, and ${least} are needed. ` +
      `Either this site is very small beside the others, or one of them counted rows that it does not have. ` +
      `Agree on a plan with weighting.by equal or a weighting.cap near the usual number of rows, and with a training.initialRange. ` +
      `Nothing was trained, and nothing of its records was encrypted or sent.`,
  );
}

/** Encrypts the stored vector under K, stores every byte, then sends (R3). */
export async function encrypt(context: SiteContext, body: InstructionBody<'encrypt'>): Promise<Outcome> {
  const { name, nonces } = body;
  const { journal } = context;
  const facts = await loadEpoch(context, name.run, name.epoch);
  const progress = journal.models.progress(name.run);
  if (timingOf(name, facts, progress) !== 'due') return DONE;
  const sum = rebuildSum(name, facts, progress);
  const subject = `${name.sum}/${name.attempt}`;
  if (journal.statements.find(name.run, 'attempt-declined', subject) !== undefined) return decline(context, facts, name, 'nonce-lost');
  const signed = journal.statements.find(name.run, 'contribution', subject);
  // Rules and consent can have changed since the nonce was given. What is signed already may have been sent.
  const refusal = signed === undefined ? refusalOfSum(context, facts, sum) : undefined;
  if (refusal !== undefined) return sitOut(context, facts, name, refusal);
  const contribution = signed ?? (await encryptOnce(context, facts, sum, nonces, subject));
  if (contribution === 'nonce-lost') return decline(context, facts, name, 'nonce-lost');
  return send(context, facts, name, contribution);
}

async function encryptOnce(
  context: SiteContext,
  facts: EpochFacts,
  sum: SumFacts,
  nonces: readonly NonceEntry[],
  subject: string,
): Promise<SignedStatement | 'nonce-lost'> {
  const { journal, site, objects } = context;
  const { name } = sum;
  const { run } = name;
  if (journal.rounds.frozenT(run, name.sum) !== undefined)
    throw new AgentError('sum-changed', `Sum ${name.sum} of ${run} is frozen; nothing more is encrypted for it.`);
  const own = context.nonces.peek(run, name.sum, name.attempt);
  if (own === undefined) return 'nonce-lost';
  let k: string;
  try {
    k = rebuildK(sum, facts, nonces, { site, nonce: own });
  } catch (error) {
    context.nonces.wipe(run);
    if (error instanceof ConsortiumError || error instanceof AgentError) await decline(context, facts, name, 'refused');
    throw error;
  }
  const vector = requireVector(context, facts, sum);
  // The pair is spent and the nonce gone before a coefficient is touched: whatever fails below, nothing is encrypted under this K again.
  journal.rounds.reserveEncryption(run, name.epoch, name.sum, name.attempt, sum.blocks);
  context.nonces.wipe(run);
  const { parameters } = facts;
  const secretKey = facts.secrets.secretKey();
  const encrypted = context.crypto.encryptedBlocks({ parameters, k, secretKey, coefficients: vector.coefficients });
  const stored = await storeBlocks(objects, encrypted).finally(() => secretKey.fill(0));
  // Other work went on meanwhile, and may have ended the run or this epoch.
  await loadEpoch(context, run, name.epoch);
  const { consortium, e, kind, attempt } = sum.position;
  const openings = openingsOf(vector, vector.salt);
  const contribution = {
    consortium,
    run,
    e,
    kind,
    sum: name.sum,
    k,
    attempt,
    site,
    blocks: sum.blocks,
    droppedBits: parameters.droppedBits,
    ...stored,
    ranges: sum.ranges,
    sampleCommitment: commitmentOf(openings.samples),
    batchCommitment: commitmentOf(openings.batches),
    dataReportCommitment: commitmentOf(openings['data-report']),
    backend: vector.backend,
  };
  return journal.transaction(() => {
    journal.steps.record(name, 'encrypt');
    return journal.statements.sign(run, 'contribution', subject, contribution);
  });
}

function requireVector(context: SiteContext, facts: EpochFacts, sum: SumFacts): StoredVector {
  const { kind, run } = sum.name;
  if (kind === 'confirm') return confirmationVector(facts.plan, sum.position.e, context.site, facts.parameters);
  const vector = context.journal.rounds.vector(facts.run.plan, kind, sum.modelIn);
  if (vector === undefined)
    throw new AgentError('out-of-order', `Sum ${sum.name.sum} of ${run} is to be encrypted, but this site has not trained for it.`);
  if (vector.coefficients.length !== sum.coefficients)
    throw new AgentError(
      'vector-length',
      `The vector stored for sum ${sum.name.sum} of ${run} has ${vector.coefficients.length} coefficients; the sum takes ${sum.coefficients}. Nothing was encrypted.`,
    );
  return vector;
}

async function send(context: SiteContext, facts: EpochFacts, name: SumName, contribution: SignedStatement): Promise<Outcome> {
  const statement = peekStatement(contribution.envelope);
  const object = statement.name === 'contribution' ? statement.predicate.object : '';
  const stored = await context.objects.find(object);
  if (stored === undefined) return decline(context, facts, name, 'ciphertext-lost');
  await context.port.upload({ ...stored, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: name.run });
  await context.port.submitStatement(contribution.envelope);
  context.journal.steps.record(name, 'upload');
  return DONE;
}

/** By the site's own decision: people are told once, the coordinator for each sum. */
async function sitOut(context: SiteContext, facts: EpochFacts, name: SumName, refusal: SiteRefusal): Promise<Outcome> {
  const { run } = name;
  const { code, message } = refusal;
  context.nonces.wipe(run);
  if (context.journal.activity.refuse(run, refusalSubjects.rounds, code, message, tellingOf(context, refusal)))
    context.tell({ event: 'refused', run, code, message });
  return decline(context, facts, name, refusal.code === 'consent-withdrawn' ? 'withdrawn' : 'refused');
}

/** Tells the coordinator that this attempt goes on without this site. The stored vector stays for the next attempt. */
async function decline(context: SiteContext, facts: EpochFacts, name: SumName, reason: DeclineReason): Promise<Outcome> {
  const { run, sum, kind, attempt } = name;
  const { consortium, site, journal } = context;
  const declined = journal.transaction(() => {
    journal.steps.record(name, reason === 'nonce-lost' || reason === 'ciphertext-lost' ? 'lose' : 'decline');
    const act = { consortium, run, e: facts.e ?? '', kind, sum, attempt, site, reason };
    return journal.statements.sign(run, 'attempt-declined', `${sum}/${attempt}`, act);
  });
  await context.port.submitStatement(declined.envelope);
  return DONE;
}
