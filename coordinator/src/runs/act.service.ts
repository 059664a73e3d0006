import { setTimeout as pause } from 'node:timers/promises';
import { type PredicateName, type Statement, openStatement, peekStatement, runId } from '@coferment/consortium';
import { type DsseEnvelope, bytesToHex, ciphertextBytes, hexToBytes, shareBytes } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { requireEnrolled } from '../enrolment/membership.rule.js';
import { type EpochAct, admitEpochAct } from '../epochs/epoch-act.rules.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { ObjectRepository } from '../objects/object.repository.js';
import { ObjectService } from '../objects/object.service.js';
import { coefficientsOf, dueSizes } from '../objects/object-size.rule.js';
import { Database } from '../persistence/database.js';
import { type RoundAct, admitRoundAct } from '../rounds/round-act.rules.js';
import { requireInTime } from './approval.deadline.js';
import type { RunChange } from './run.change.js';
import { KeptTime } from './kept.time.js';
import { RunChanges, StaleRun } from './run.changes.js';
import { admitSetApproval } from './new-set-act.rule.js';
import { admitRefusal, textOfRefusal } from './run.refusals.js';
import { RunQueue } from './run.queue.js';
import { type RunView, isMember, isOver, present } from './run.view.js';
import { RunViews } from './run.views.js';

type SiteAct = EpochAct | RoundAct | Statement<'new-set-approved' | 'instruction-refused'>;

/** Another coordinator that takes in acts of the same run may be faster each time, but not so often. */
const MOST_TRIES = 20;
const LONGEST_PAUSE_MS = 20;

/** Takes in what sites sign. A refused statement changes nothing; the same one twice is answered like the first time. */
@Injectable()
export class ActService {
  constructor(
    private readonly views: RunViews,
    private readonly changes: RunChanges,
    private readonly queue: RunQueue,
    private readonly objects: ObjectService,
    private readonly objectRows: ObjectRepository,
    private readonly enrolment: EnrolmentRepository,
    private readonly database: Database,
    private readonly identity: ConsortiumIdentity,
    private readonly time: KeptTime,
  ) {}

  /** @param expected acts that this call may carry. @returns run and digest. @throws CoordinatorError, ConsortiumError, CryptoError */
  async submit(site: string, envelope: DsseEnvelope, expected: readonly PredicateName[]): Promise<{ run: string; digest: string }> {
    const { statement, publicKey } = await this.#verify(site, envelope, expected);
    const run = statement.name === 'plan-approved' ? runId(statement.predicate.plan, statement.predicate.ordinal) : statement.predicate.run;
    // Before each view: what has passed unseen moves its deadlines, and an approval is not late by it.
    const nowMs = await this.time.nowMs();
    const first = await this.views.load(run);
    // It stands in no roster of the run any more, and hears why.
    if (statement.name === 'plan-approved' && first.run.notApproved.includes(site) && !isOver(first)) requireInTime(first, site, nowMs);
    if (!isMember(first, { site, identityKey: bytesToHex(publicKey) }))
      throw new CoordinatorError('forbidden', `"${site}" with this identity key is not a site of run ${run}.`);
    if (this.#isKnown(first, statement)) return { run, digest: statement.digest };
    admit(first, statement, envelope, nowMs);
    await this.#checkObjects(first, statement);
    await this.queue.inTurn(run, () => this.#store(run, statement, envelope, publicKey));
    return { run, digest: statement.digest };
  }

  async #verify(
    site: string,
    envelope: DsseEnvelope,
    expected: readonly PredicateName[],
  ): Promise<{ statement: SiteAct; publicKey: Uint8Array }> {
    const claimed = peekStatement(envelope);
    if (!expected.includes(claimed.name)) throw new CoordinatorError('malformed', `This call does not carry a ${claimed.name}.`);
    const row = await this.database.transaction((manager) => this.enrolment.site(manager, site));
    const publicKey = hexToBytes(row?.identityKey ?? '');
    const statement = openStatement(claimed.name, envelope, publicKey) as SiteAct;
    if (statement.predicate.site !== site) {
      throw new CoordinatorError(
        'forbidden',
        `The site "${site}" sends a ${statement.name} of "${statement.predicate.site}". Every site sends its own.`,
      );
    }
    if (statement.predicate.consortium !== this.identity.facts.consortium) {
      throw new CoordinatorError(
        'other-consortium',
        `The ${statement.name} is for the consortium "${statement.predicate.consortium}", not this one.`,
      );
    }
    return { statement, publicKey };
  }

  #isKnown(view: RunView, statement: Statement): boolean {
    return view.acts.digests.has(statement.digest);
  }

  /** The objects that a statement names must be there, whole and as it says. Looks at files: never inside a transaction. */
  async #checkObjects(view: RunView, statement: SiteAct): Promise<void> {
    const { parameters } = view.epoch.roster;
    switch (statement.name) {
      case 'dealing': {
        const { site, masked, boxes } = statement.predicate;
        await this.objects.requireStored(site, masked, 'dealing-masked', dueSizes(view, site, 'dealing-masked')[0] ?? 0);
        const boxSize = dueSizes(view, site, 'dealing-box')[0] ?? 0;
        for (const box of boxes) await this.objects.requireStored(site, box['object'] ?? '', 'dealing-box', boxSize);
        return;
      }
      case 'contribution': {
        const { site, object, merkleRoot: root } = statement.predicate;
        const size = ciphertextBytes(coefficientsInSum(view, statement), parameters);
        return requireRoot(statement, root, await this.objects.merkleRootOf(view, site, object, 'ciphertext', size));
      }
      case 'share': {
        const { site, object, merkleRoot: root } = statement.predicate;
        const size = shareBytes(coefficientsInSum(view, statement), parameters);
        return requireRoot(statement, root, await this.objects.merkleRootOf(view, site, object, 'decryption-share', size));
      }
      case 'plan-approved':
      case 'sealing-key':
      case 'roster-approved':
      case 'dealing-ack':
      case 'dealing-refused':
      case 'epoch-agreed':
      case 'epoch-left':
      case 'nonce':
      case 'attempt-declined':
      case 'attestation':
      case 'new-set-approved':
      case 'instruction-refused':
        return;
    }
  }

  async #store(run: string, statement: SiteAct, envelope: DsseEnvelope, publicKey: Uint8Array): Promise<void> {
    for (let tries = 1; ; tries++) {
      const nowMs = await this.time.nowMs();
      const view = await this.views.load(run);
      if (this.#isKnown(view, statement)) return;
      const slot = admit(view, statement, envelope, nowMs);
      const { site } = statement.predicate;
      if (view.acts.has(statement.name, site, slot)) {
        throw new CoordinatorError(
          'already-different',
          `"${site}" has signed another ${statement.name} for this place. What was signed first counts.`,
        );
      }
      try {
        await this.changes.apply(run, view.run.version, async (change) => {
          await this.#requireStill(change, site, publicKey);
          await change.record({ site, slot, envelope, publicKey });
          await this.#grantBoxes(change, statement);
          await change.note('site-acted', { site, text: actText(statement), ...sumOf(statement) });
        });
        return;
      } catch (error) {
        if (!(error instanceof StaleRun) || tries === MOST_TRIES) throw error;
        // Of different lengths: two that collide would do so again.
        await pause(Math.random() * LONGEST_PAUSE_MS);
      }
    }
  }

  /**
   * The row stays locked until the act is in the ledger. Between the gate and here lie objects of any size: an act that came into the ledger behind the revocation
   * of its signer would be one by nobody, to every auditor and for good.
   */
  async #requireStill({ manager }: RunChange, site: string, publicKey: Uint8Array): Promise<void> {
    const row = await this.enrolment.lockSite(manager, site);
    if (row?.identityKey !== bytesToHex(publicKey))
      throw new CoordinatorError('site-revoked', `"${site}" has another identity key now. Ask the operator.`);
    requireEnrolled(row);
  }

  /** From now on each key holder may read its own box, and nobody else's. */
  async #grantBoxes(change: RunChange, statement: SiteAct): Promise<void> {
    if (statement.name !== 'dealing') return;
    for (const box of statement.predicate.boxes) await this.objectRows.setReader(change.manager, box['object'] ?? '', box.holder);
  }
}

function admit(view: RunView, statement: SiteAct, envelope: DsseEnvelope, nowMs: number): string {
  const { site } = statement.predicate;
  if (statement.name === 'plan-approved' && !isOver(view)) requireInTime(view, site, nowMs);
  if (!view.run.sites.includes(site)) throw new CoordinatorError('forbidden', `"${site}" is not a site of run ${view.run.run}.`);
  if (isOver(view)) throw new CoordinatorError('run-over', `Run ${view.run.run} is ${view.run.state}; nothing more is taken.`);
  switch (statement.name) {
    case 'nonce':
    case 'attempt-declined':
    case 'contribution':
    case 'attestation':
    case 'share':
      return admitRoundAct(view, statement, envelope);
    case 'plan-approved':
    case 'sealing-key':
    case 'roster-approved':
    case 'dealing':
    case 'dealing-ack':
    case 'dealing-refused':
    case 'epoch-agreed':
    case 'epoch-left':
      return admitEpochAct(view, statement, envelope);
    case 'new-set-approved':
      return admitSetApproval(view, statement, envelope);
    case 'instruction-refused':
      return admitRefusal(view, statement);
  }
}

/** Its round is there: {@link admit} has looked at it. */
function coefficientsInSum(view: RunView, { predicate }: Statement<'contribution' | 'share'>): number {
  const round = present(
    view.rounds.find(({ sum }) => sum === predicate.sum),
    'the sum',
  );
  return coefficientsOf(view, round);
}

function requireRoot(statement: SiteAct, root: string, found: string): void {
  if (found === root) return;
  throw new CoordinatorError(
    'wrong-digest',
    `The ${statement.name} of "${statement.predicate.site}" signs Merkle root ${root}; its object has ${found}. Nothing was stored.`,
  );
}

/** For whoever watches: why a site stays out is said with it. */
function actText(statement: SiteAct): string {
  if (statement.name === 'instruction-refused') return textOfRefusal(statement);
  return statement.name === 'attempt-declined' ? `${statement.name} (${statement.predicate.reason})` : statement.name;
}

function sumOf(statement: SiteAct): { sum?: number } {
  if ('sum' in statement.predicate) return { sum: statement.predicate.sum };
  return statement.name === 'attestation' ? { sum: statement.predicate.sums[0]!.sum } : {};
}
