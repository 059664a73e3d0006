import { checkCertificate, epochSites, peekStatement } from '@coferment/consortium';
import { sumKeyShares } from '@coferment/crypto';
import { ObjectPurpose } from '@coferment/proto';
import { AgentError } from '../agent.error.js';
import type { FrozenSum, InstructionBody, SumName } from '../connection/instruction.parser.js';
import type { SignedStatement } from '../journal/statements.repository.js';
import { storeBlocks } from './block.storing.js';
import { requireRemembered } from './own.acts.js';
import { type EpochFacts, loadEpoch } from './run.facts.js';
import { DONE, LATER, type Outcome, type SiteContext } from './site.context.js';
import { type RebuiltFreeze, rebuildFreeze, rebuildSum, type SumFacts, timingOf } from './sum.context.js';

export interface CheckedFreeze extends RebuiltFreeze {
  sum: SumFacts;
}

/**
 * Everything R5 asks for before a site signs or releases: I, K, A and T rebuilt, upload signatures verified, and this site's own upload, if counted,
 * one that it remembers. A valid signature of its own that it does not remember means that the journal was restored from a backup.
 */
export function checkFrozenSum(context: SiteContext, facts: EpochFacts, frozen: FrozenSum): CheckedFreeze {
  const { journal, site } = context;
  const sum = rebuildSum(frozen.name, facts, journal.models.progress(frozen.name.run));
  const rebuilt = rebuildFreeze(sum, facts, frozen);
  const own = rebuilt.frozen.contributions.find((contribution) => contribution.predicate.site === site);
  if (own !== undefined) requireRemembered(context, frozen.name.run, frozen.name.epoch, `An upload to sum ${frozen.name.sum}`, own.digest);
  return { sum, ...rebuilt };
}

/** @param certificate as `checkCertificate` returns it, with every signature verified */
export function requireOwnAttestation(
  context: SiteContext,
  name: SumName,
  certificate: readonly { site: string; attestation: string }[],
): void {
  const own = certificate.find(({ site }) => site === context.site);
  if (own !== undefined) requireRemembered(context, name.run, name.epoch, `An attestation of sum ${name.sum}`, own.attestation);
}

/** Stores T and A for life. Must return before anything over them is signed or released. */
export function bindFreeze(context: SiteContext, checked: CheckedFreeze): void {
  const { sum, frozen } = checked;
  const { consortium, run, kind } = sum.position;
  const { t, set, sites } = frozen;
  context.journal.rounds.bindFreeze({ consortium, run, sum: sum.position.sum, kind, modelIn: sum.modelIn, t, set, sites });
}

/**
 * In the transaction that attests or applies a freeze: whatever becomes of the run, the receipt stays owed. The ledger has the freeze also if the sum is never opened.
 * Confirmations of keys hold nothing of a site and need none.
 */
export function oweReceipt({ journal, site }: SiteContext, { sum, frozen }: CheckedFreeze): void {
  const own = frozen.contributions.find(({ predicate }) => predicate.site === site);
  const { run, sum: number, kind, round, attempt } = sum.name;
  if (kind !== 'confirm' && own !== undefined) journal.receipts.owe({ contribution: own.digest, run, sum: number, kind, round, attempt });
}

/** Signs T (R5). All confirm sums of an epoch are attested in one signature. */
export async function attest(context: SiteContext, { sums }: InstructionBody<'attest'>): Promise<Outcome> {
  const { journal, consortium, site } = context;
  const [first] = sums;
  if (first === undefined) return DONE;
  const { run, epoch, kind } = first.name;
  const facts = await loadEpoch(context, run, epoch);
  const progress = journal.models.progress(run);
  const timings = sums.map(({ name }) => timingOf(name, facts, progress));
  if (timings.includes('past')) return DONE;
  if (timings.includes('ahead')) return LATER;
  requireTogether(facts, sums);
  const checked = sums.map((frozen) => checkFrozenSum(context, facts, frozen));
  const entries = checked.map(({ sum, k, frozen }) => ({ sum: sum.position.sum, k, t: frozen.t, set: frozen.set, modelIn: sum.modelIn }));
  const e = facts.e ?? '';
  const subject = kind === 'confirm' ? `confirm/${epoch}` : String(first.name.sum);
  const attestation = journal.transaction(() => {
    for (const freeze of checked) {
      bindFreeze(context, freeze);
      oweReceipt(context, freeze);
      journal.steps.record(freeze.sum.name, 'attest');
    }
    return journal.statements.sign(run, 'attestation', subject, { consortium, run, epoch, e, kind, site, sums: entries });
  });
  await context.port.submitStatement(attestation.envelope);
  return DONE;
}

/** One sum, or exactly the confirm sums of all sites of the epoch. */
function requireTogether(facts: EpochFacts, sums: readonly FrozenSum[]): void {
  const [first] = sums;
  const confirms = epochSites(facts.roster).length;
  const oneEpoch = sums.every(
    ({ name }, index) => name.run === first?.name.run && name.epoch === first.name.epoch && name.sum === first.name.sum + index,
  );
  const complete =
    first?.name.kind === 'confirm' ? sums.length === confirms && sums.every(({ name }) => name.kind === 'confirm') : sums.length === 1;
  if (oneEpoch && complete) return;
  throw new AgentError(
    'attested-apart',
    `${sums.length} sums were to be attested together; only the ${confirms} confirm sums of one key epoch may be.`,
  );
}

/** Releases this key holder's decryption share, for one certified set only (R6). */
export async function releaseShare(context: SiteContext, body: InstructionBody<'releaseShare'>): Promise<Outcome> {
  const { name } = body.frozen;
  const { journal, objects } = context;
  const facts = await loadEpoch(context, name.run, name.epoch);
  if (facts.holderIndex < 0)
    throw new AgentError('not-a-holder', `This site holds no key in epoch ${name.epoch} of ${name.run} and releases no share.`);
  const timing = timingOf(name, facts, journal.models.progress(name.run));
  if (timing === 'past') return DONE;
  if (timing === 'ahead') return LATER;
  const checked = checkFrozenSum(context, facts, body.frozen);
  const { sum, k, frozen } = checked;
  const certificate = checkCertificate({
    roster: facts.roster,
    position: sum.position,
    k,
    t: frozen.t,
    set: frozen.set,
    modelIn: sum.modelIn,
    attestations: body.certificate,
  });
  requireOwnAttestation(context, name, certificate);
  bindFreeze(context, checked);
  const release = journal.statements.find(name.run, 'share', String(name.sum)) ?? (await computeShare(context, facts, checked));
  const statement = peekStatement(release.envelope);
  const object = statement.name === 'share' ? statement.predicate.object : '';
  const stored = await objects.find(object);
  if (stored === undefined)
    throw new AgentError(
      'epoch-dead',
      `The bytes of the share that this site released for sum ${name.sum} are gone; they cannot be made again.`,
    );
  await context.port.upload({ ...stored, purpose: ObjectPurpose.OBJECT_PURPOSE_DECRYPTION_SHARE, run: name.run });
  await context.port.submitShare(release.envelope);
  return DONE;
}

async function computeShare(context: SiteContext, facts: EpochFacts, { sum, k, frozen }: CheckedFreeze): Promise<SignedStatement> {
  const { site, objects, journal } = context;
  const { parameters, secrets, holderIndex } = facts;
  const { consortium, run, e, kind, sum: number } = sum.position;
  const keyShareSum = sumKeyShares(frozen.sites.map((counted) => secrets.keyShare(counted)));
  const noiseKey = secrets.noiseKey();
  const computed = context.crypto.shareBlocks({
    parameters,
    k,
    setDigest: frozen.set,
    kind,
    holder: site,
    holderIndex,
    keyShareSum,
    noiseKey,
    coefficients: sum.coefficients,
  });
  const stored = await storeBlocks(objects, computed).finally(() => {
    keyShareSum.fill(0);
    noiseKey.fill(0);
  });
  // Other work went on meanwhile, and may have ended the run or this epoch.
  await loadEpoch(context, run, sum.position.epoch);
  const share = { consortium, run, e, kind, sum: number, k, t: frozen.t, site, blocks: sum.blocks, ...stored };
  return journal.transaction(() => {
    journal.steps.record(sum.name, 'release');
    return journal.statements.sign(run, 'share', String(number), share);
  });
}
