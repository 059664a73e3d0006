import {
  checkCertificate,
  checkShareStatement,
  describeModel,
  modelDigest,
  openStatement,
  readSum,
  type StrategyState,
} from '@coferment/consortium';
import { AgentError, type AgentErrorCode } from '../agent.error.js';
import type { InstructionBody } from '../connection/instruction.parser.js';
import { bindFreeze, type CheckedFreeze, checkFrozenSum, oweReceipt, requireOwnAttestation } from './opening.handlers.js';
import { requireRemembered } from './own.acts.js';
import { forgetRun, leaveRun } from './run.departure.js';
import { type EpochFacts, loadFollowedEpoch } from './run.facts.js';
import { DONE, LATER, type Outcome, type SiteContext } from './site.context.js';
import { spotCheck } from './spot.check.js';
import { applicationTiming } from './sum.context.js';

/**
 * Verifies a published sum and computes the next state from it with the same pure code as everybody. Nothing is taken from the coordinator but the sum
 * itself, and that only after a spot check: if blocks of it do not open again, or its model differs from this site's own, this site leaves the run.
 */
export async function applySum(context: SiteContext, body: InstructionBody<'applySum'>): Promise<Outcome> {
  const { name } = body.frozen;
  const { journal } = context;
  const facts = await loadFollowedEpoch(context, name.run, name.epoch);
  const progress = journal.models.progress(name.run);
  const timing = applicationTiming(name, facts, progress);
  if (timing === 'past') return DONE;
  if (timing === 'ahead') return LATER;
  const checked = checkFrozenSum(context, facts, body.frozen);
  const { aggregate, digest, shares } = checkAggregate(context, facts, checked, body);
  const size = checked.sum.coefficients * 8;
  const coefficients = toCoefficients(await context.port.download(aggregate.sumObject, size), size);
  await spotCheck(context, facts, checked, { aggregate: digest, shares, coefficients });
  const state = nextState(context, facts, checked, coefficients, progress.state);
  const modelOut = state === null ? 'none' : modelDigest(describeModel(facts.plan), state.model);
  const published = aggregate.modelOut === modelOut || (name.kind !== 'update' && aggregate.modelOut === 'none');
  if (!published) {
    throw leave(
      context,
      name.run,
      `sum ${name.sum} gives the model ${modelOut}, but the coordinator published ${aggregate.modelOut}. Ask for an audit of the ledger.`,
    );
  }
  journal.transaction(() => {
    bindFreeze(context, checked);
    journal.models.advance(name.run, progress.appliedSum, { appliedSum: name.sum, state });
    journal.steps.record(name, 'apply');
    // Of a sum that was opened while this site was away, it has attested nothing.
    oweReceipt(context, checked);
  });
  context.nonces.wipe(name.run);
  context.tell({ event: 'applied', run: name.run, round: name.round, sum: name.sum, kind: name.kind, model: modelOut });
  return DONE;
}

/** The certificate, at least τ share signatures, and the operator's signature over exactly these. */
function checkAggregate(context: SiteContext, facts: EpochFacts, checked: CheckedFreeze, body: InstructionBody<'applySum'>) {
  const { sum, k, frozen } = checked;
  const { roster } = facts;
  const { position } = sum;
  const certificate = checkCertificate({
    roster,
    position,
    k,
    t: frozen.t,
    set: frozen.set,
    modelIn: sum.modelIn,
    attestations: body.certificate,
  });
  requireOwnAttestation(context, sum.name, certificate);
  const statements = body.shares.map((envelope) => checkShareStatement(roster, position, k, frozen.t, envelope));
  const shares = statements.map(({ predicate, digest }) => ({ site: predicate.site, share: digest }));
  const own = shares.find(({ site }) => site === context.site);
  if (own !== undefined) requireRemembered(context, position.run, position.epoch, `A decryption share of sum ${position.sum}`, own.share);
  const holders = new Set(shares.map((share) => share.site));
  if (holders.size !== shares.length || holders.size < roster.numbers.tau)
    throw refuse('shares-short', sum.position.sum, `${holders.size} key holders opened it; ${roster.numbers.tau} are needed`);
  const { predicate, digest } = openStatement('aggregate', body.aggregate, context.operatorKey);
  const same =
    predicate.consortium === position.consortium &&
    predicate.run === position.run &&
    predicate.epoch === position.epoch &&
    predicate.e === position.e &&
    predicate.kind === position.kind &&
    predicate.sum === position.sum &&
    predicate.round === sum.name.round &&
    predicate.k === k &&
    predicate.t === frozen.t &&
    predicate.modelIn === sum.modelIn;
  if (!same) throw refuse('other-aggregate', position.sum, 'its aggregate was signed for another run, epoch, kind, round, K, T or model');
  if (listed(predicate.certificate, 'attestation') !== listed(certificate, 'attestation'))
    throw refuse('other-certificate', position.sum, 'its aggregate names another certificate');
  if (listed(predicate.shares, 'share') !== listed(shares, 'share'))
    throw refuse('other-shares', position.sum, 'its aggregate names other shares');
  return { aggregate: predicate, digest, shares: statements };
}

function listed(entries: readonly object[], field: string): string {
  return entries
    .map((entry) => `${(entry as Record<string, string>)['site'] ?? ''}=${(entry as Record<string, string>)[field] ?? ''}`)
    .toSorted()
    .join();
}

function nextState(
  context: SiteContext,
  facts: EpochFacts,
  { sum, frozen }: CheckedFreeze,
  coefficients: BigUint64Array,
  state: StrategyState | null,
): StrategyState | null {
  const { plan, parameters, run, roster } = facts;
  const { kind } = sum.name;
  if (kind === 'update' && state === null) throw refuse('out-of-order', sum.name.sum, 'this site has no model to apply it to');
  const meaning = readSum({
    plan,
    kind,
    ordinal: run.ordinal,
    // Those of the roster: of the sites that were asked, some may not have approved in time.
    sites: roster.sites.map((member) => member.site),
    parameters,
    addends: frozen.sites.length,
    confirms: sum.confirms === null ? undefined : { site: sum.confirms, e: sum.position.e },
    state: state ?? undefined,
    coefficients,
  });
  if (!meaning.ok)
    throw leave(
      context,
      run.run,
      `the key of "${sum.confirms ?? ''}" does not open what it should. Site or key holders are at fault; a new key epoch is needed.`,
    );
  return meaning.next ?? state;
}

/** Sum objects hold one little-endian 64-bit word a coefficient. */
function toCoefficients(bytes: Uint8Array, size: number): BigUint64Array {
  if (bytes.length !== size)
    throw new AgentError('object-mismatch', `A published sum has ${bytes.length} bytes; it must have ${size}. It was not applied.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return BigUint64Array.from({ length: size / 8 }, (_, index) => view.getBigUint64(index * 8, true));
}

/** The end of a run: its secrets are erased here, so nothing of it can be opened later. */
export async function closeRun(context: SiteContext, { run, closing }: InstructionBody<'closeRun'>): Promise<Outcome> {
  const { journal } = context;
  const record = journal.runs.get(run);
  if (record === undefined || record.state === 'closed') return DONE;
  const { predicate } = openStatement('run-closed', closing, context.operatorKey);
  if (predicate.run !== run || predicate.consortium !== context.consortium)
    throw new AgentError('other-closing', `The closing of ${run} was signed for another run.`);
  context.nonces.wipe(run);
  journal.transaction(() => {
    journal.steps.abandonAll(run);
    journal.runs.setState(run, 'closed', predicate.status);
  });
  forgetRun(context, run);
  context.tell({ event: 'run-closed', run, status: predicate.status, model: predicate.model });
  return DONE;
}

function leave(context: SiteContext, run: string, reason: string): AgentError {
  leaveRun(context, run, reason);
  return new AgentError('model-mismatch', `This site leaves ${run}: ${reason}`);
}

function refuse(code: AgentErrorCode, sum: number, reason: string): AgentError {
  return new AgentError(code, `The published sum ${sum} is refused: ${reason}. It was not applied.`);
}
