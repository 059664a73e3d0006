import { checkDealingStatement, checkEpoch, firstSumOf, MAX_TEXT, peekStatement, type Roster } from '@coferment/consortium';
import { checkDealing as verifyShare, CryptoError, deal, openDealingShare, parameterSet, sealedDealingShare } from '@coferment/crypto';
import { ObjectPurpose } from '@coferment/proto';
import { AgentError } from '../agent.error.js';
import type { InstructionBody } from '../connection/instruction.parser.js';
import { forgetEpochsBefore } from './run.departure.js';
import { type EpochFacts, loadCeremony, requireContributor, sealingKeyOf } from './run.facts.js';
import { DONE, type Outcome, type SiteContext } from './site.context.js';

/**
 * Deals this site's key to the key holders, once (S2). After a crash the stored bytes are sent again, or, if nothing had been signed, a fresh key is
 * dealt: masks never serve a second challenge.
 */
export async function dealKey(context: SiteContext, body: InstructionBody<'deal'>): Promise<Outcome> {
  const facts = await loadCeremony(context, body.run, body.epoch);
  requireContributor(facts, context.site);
  const subject = String(body.epoch);
  const stored = context.journal.statements.find(body.run, 'dealing', subject);
  const dealing = stored ?? prepareDealing(context, facts, subject);
  const { predicate } = checkDealingStatement(facts.roster, facts.position, dealing.envelope);
  const { run } = body;
  await uploadOwn(context, run, predicate.masked, ObjectPurpose.OBJECT_PURPOSE_DEALING_MASKED);
  for (const box of predicate.boxes) await uploadOwn(context, run, box.object, ObjectPurpose.OBJECT_PURPOSE_DEALING_BOX);
  await context.port.submitStatement(dealing.envelope);
  return DONE;
}

function prepareDealing(context: SiteContext, facts: EpochFacts, subject: string) {
  const { site: dealer, objects, journal } = context;
  const { roster, position, secrets } = facts;
  const dealt = deal({ e0: position.e0, dealer, parameters: facts.parameters });
  const sealingKey = secrets.sealingKey();
  const boxes = roster.keyHolders.map(({ site: holder }, index) => {
    const share = dealt.privateShares[index] ?? new Uint8Array();
    const box = sealedDealingShare({ e0: position.e0, dealer, holder }, share, sealingKeyOf(roster, holder), sealingKey);
    share.fill(0);
    return { holder, object: objects.store(box) };
  });
  const masked = objects.store(dealt.masked);
  secrets.storeSecretKey(dealt.secretKey);
  dealt.secretKey.fill(0);
  if (facts.holderIndex >= 0) secrets.drawNoiseKey();
  const { consortium, run, epoch, e0 } = position;
  // From here on this dealing is the only one of this site in this epoch: everything it needs is on disk.
  return journal.statements.sign(run, 'dealing', subject, {
    consortium,
    run,
    epoch,
    e0,
    site: dealer,
    commitments: dealt.commitments,
    masked,
    boxes,
  });
}

async function uploadOwn(context: SiteContext, run: string, digest: string, purpose: ObjectPurpose): Promise<void> {
  const stored = await context.objects.find(digest);
  if (stored === undefined) {
    throw new AgentError(
      'epoch-dead',
      `The bytes of this site's dealing (${digest.slice(0, 16)}…) are gone. A new key epoch is needed; tell the operator.`,
    );
  }
  await context.port.upload({ ...stored, purpose, run });
}

/**
 * A key holder checks one dealing and keeps its key share (S3). A bad one is answered with a signed refusal that names the pair: nobody else can tell
 * whether dealer or holder lies.
 */
export async function checkDealing(context: SiteContext, body: InstructionBody<'checkDealing'>): Promise<Outcome> {
  const { run, epoch } = body;
  const { consortium, site, journal } = context;
  const facts = await loadCeremony(context, run, epoch);
  if (facts.holderIndex < 0)
    throw new AgentError('not-a-holder', `This site holds no key in epoch ${epoch} of ${run} and checks no dealing.`);
  const { predicate, digest } = checkDealingStatement(facts.roster, facts.position, body.dealing);
  const dealer = predicate.site;
  const subject = `${epoch}/${dealer}`;
  const verdict = { consortium, run, epoch, e0: facts.position.e0, dealer, site, dealing: digest };
  const earlier = journal.statements.find(run, 'dealing-ack', subject) ?? journal.statements.find(run, 'dealing-refused', subject);
  if (earlier === undefined) {
    const reason = await takeShare(context, facts, predicate);
    if (reason === undefined) journal.statements.sign(run, 'dealing-ack', subject, verdict);
    else journal.statements.sign(run, 'dealing-refused', subject, { ...verdict, reason });
  }
  const refusal = journal.statements.find(run, 'dealing-refused', subject);
  const signed = refusal ?? journal.statements.sign(run, 'dealing-ack', subject, verdict);
  await context.port.submitStatement(signed.envelope);
  if (refusal !== undefined) {
    throw new AgentError(
      'dealing-refused',
      `The dealing of "${dealer}" was refused. Either its share or this site's check is wrong; the operator was told.`,
    );
  }
  return DONE;
}

/** Stores the share of a good dealing; returns the reason for a bad one. */
async function takeShare(
  context: SiteContext,
  facts: EpochFacts,
  dealing: { site: string; commitments: string[]; masked: string; boxes: { holder: string; object: string }[] },
): Promise<string | undefined> {
  const { e0 } = facts.position;
  const dealer = dealing.site;
  const limits = dealingLimits(facts);
  const box = dealing.boxes[facts.holderIndex]?.object ?? '';
  const [masked, sealed] = await Promise.all([
    context.port.download(dealing.masked, limits.masked),
    context.port.download(box, limits.box),
  ]);
  try {
    const label = { e0, dealer, holder: context.site };
    const privateShare = openDealingShare(label, sealed, sealingKeyOf(facts.roster, dealer), facts.secrets.sealingKey());
    const { parameters, holderIndex } = facts;
    const share = verifyShare({ e0, dealer, holderIndex, parameters, commitments: dealing.commitments, masked, privateShare });
    facts.secrets.storeKeyShare(dealer, share);
    privateShare.fill(0);
    return undefined;
  } catch (error) {
    if (error instanceof CryptoError && ['dealing-refused', 'sealed-open-failed', 'malformed'].includes(error.code))
      return error.message.slice(0, MAX_TEXT);
    throw error;
  }
}

/** Two masks of τ ring elements; three ring elements, their salt and the box around them. */
function dealingLimits(facts: EpochFacts): { masked: number; box: number } {
  const { dataPrimes, degree } = parameterSet(facts.parameters.set);
  const element = dataPrimes.length * degree * 8;
  return { masked: 2 * facts.parameters.threshold * element, box: 3 * element + 2048 };
}

/** Signs E: this site's own dealing is in it, every dealing has all its acknowledgements, and this site's own match what it signed. */
export async function agreeEpoch(context: SiteContext, body: InstructionBody<'agreeEpoch'>): Promise<Outcome> {
  const { run, epoch, acknowledgements } = body;
  const { consortium, site, journal } = context;
  const { roster, position, holderIndex } = await loadCeremony(context, run, epoch);
  const { e, dealings } = checkEpoch({ roster, position, dealings: body.dealings, acknowledgements });
  requireNotOvertaken(context, run, epoch, roster);
  if (roster.leftOut.includes(site)) {
    // Whoever is left out signs no E. It has rebuilt it, so it can attest, and follow the model.
    enterEpoch(context, run, epoch, e);
    return DONE;
  }
  const own = journal.statements.find(run, 'dealing', String(epoch));
  if (dealings.find((entry) => entry.site === site)?.dealing !== own?.digest) {
    throw new AgentError(
      'epoch-dead',
      `The dealing under this site's name is not the one it sent. Was this data folder restored from a backup? A new key epoch is needed.`,
    );
  }
  if (holderIndex >= 0) {
    for (const { site: dealer, dealing } of dealings) requireOwnAcknowledgement(context, run, `${epoch}/${dealer}`, dealing);
  }
  enterEpoch(context, run, epoch, e);
  const { e0 } = position;
  const agreement = journal.statements.sign(run, 'epoch-agreed', String(epoch), {
    consortium,
    run,
    epoch,
    e0,
    e,
    site,
    dealings,
    leftOut: roster.leftOut,
  });
  await context.port.submitStatement(agreement.envelope);
  return DONE;
}

/** The epoch before may have gone on since the roster was approved. With confirm sums that lie behind this site, no key would be confirmed. */
function requireNotOvertaken({ journal }: SiteContext, run: string, epoch: number, roster: Roster): void {
  const first = firstSumOf(roster);
  const largest = journal.rounds.largestSum(run);
  if (journal.runs.epoch(run, epoch)?.e !== null || first > largest) return;
  throw new AgentError(
    'roster-first-sum',
    `Key epoch ${epoch} of ${run} is not signed: its sums start at ${first}, and this site has gone on to sum ${largest} since it approved the roster. Ask the operator for a new key epoch (coferment epochs renew ${run}).`,
  );
}

/** From here on nothing is signed, encrypted or opened in an earlier epoch of this run, so its secrets serve nothing any more. */
function enterEpoch(context: SiteContext, run: string, epoch: number, e: string): void {
  const { journal, nonces } = context;
  journal.transaction(() => {
    const isNew = journal.runs.epoch(run, epoch)?.e === null;
    journal.runs.agreeEpoch(run, epoch, e);
    if (isNew) journal.steps.supersedeAll(run);
  });
  nonces.wipe(run);
  forgetEpochsBefore(context, run, epoch);
}

function requireOwnAcknowledgement(context: SiteContext, run: string, subject: string, dealing: string): void {
  const stored = context.journal.statements.find(run, 'dealing-ack', subject);
  const acknowledged = stored === undefined ? undefined : peekStatement(stored.envelope);
  if (acknowledged?.name === 'dealing-ack' && acknowledged.predicate.dealing === dealing) return;
  throw new AgentError(
    'epoch-dead',
    `This site did not acknowledge the dealing ${dealing.slice(0, 16)}… that stands in epoch ${subject}. A new key epoch is needed.`,
  );
}
