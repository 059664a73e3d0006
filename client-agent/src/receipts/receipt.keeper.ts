import { setTimeout as sleep } from 'node:timers/promises';
import { bytesToHex } from '@coferment/crypto';
import {
  encodeVkey,
  formatTlogProof,
  type OpenedCheckpoint,
  openCheckpoint,
  parsePolicy,
  parseVkey,
  type VerifierKey,
  type WitnessRoll,
} from '@coferment/ledger';
import { AgentError, describeFailure } from '../agent.error.js';
import { BackoffSchedule } from '../connection/backoff.schedule.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import type { LoggedProof } from '../connection/coordinator.port.js';
import type { Receipt, ReceiptMaterial } from '../journal/receipts.repository.js';
import { printable } from '../printable.text.js';
import type { SiteContext } from '../rounds/site.context.js';
import { LedgerFollower } from './ledger.follower.js';
import { judgeReceipt } from './receipt.judgement.js';

/** How often the journal is looked at for what is owed. */
const LOOK_MS = 2_000;
/** Witnesses answer within seconds while agents serve, and not at all while they are off. */
const LONGEST_PAUSE_MS = 60_000;
/** Receipts that are asked for in one go. */
const AT_ONCE = 32;
const LONGEST_REFUSAL = 2000;

/** A receipt that cannot be had yet, and will be asked for again. */
type Fetched = { outcome: 'stored' } | { outcome: 'waits'; needed: number } | { outcome: 'later' };

/**
 * Fetches the receipt of every contribution that was counted, and asks again until it has it. What is owed stands in the journal, so nothing is lost with the
 * process. All that comes is verified here: a coordinator can keep a receipt back, which shows, and cannot make one up.
 *
 * Who counts as a witness is what the ledger itself says (charter, enrolments, witness keys) below the checkpoint, read by this site and verified signature by signature. Against an
 * operator who shows this site a forked ledger with other witnesses, that alone would not help: the agents' cosigning does, and a policy that people bring.
 */
export class ReceiptKeeper {
  readonly #logKey: VerifierKey;
  readonly #follower: LedgerFollower;
  #asked = 0;

  constructor(
    private readonly context: SiteContext,
    logVkey: string,
  ) {
    const { port, consortium, operatorKey } = context;
    this.#logKey = parseVkey(logVkey);
    this.#follower = new LedgerFollower(port, consortium, operatorKey, this.#logKey);
  }

  /** Until `signal` aborts. Never throws: rounds go on without receipts. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new BackoffSchedule(LOOK_MS, LONGEST_PAUSE_MS);
    while (!signal.aborted) {
      const isIdle = await this.#look(signal).catch(() => false);
      if (isIdle) backoff.reset();
      await sleep(isIdle ? LOOK_MS : backoff.nextMs(), undefined, { signal }).catch(() => undefined);
    }
  }

  /** True when nothing is owed, or something came. */
  async #look(signal: AbortSignal): Promise<boolean> {
    return this.context.journal.receipts.owed().length === 0 || (await this.fetchOwed(signal)) > 0;
  }

  /** One try for some of them, in turn: one that never comes must not keep others waiting. Returns how many are stored now that were not before. */
  async fetchOwed(signal?: AbortSignal): Promise<number> {
    const { journal } = this.context;
    let stored = 0;
    const owed = journal.receipts.owed();
    const first = owed.length <= AT_ONCE ? 0 : this.#asked % owed.length;
    this.#asked += AT_ONCE;
    for (const receipt of [...owed.slice(first), ...owed.slice(0, first)].slice(0, AT_ONCE)) {
      if (signal?.aborted === true) return stored;
      try {
        const fetched = await this.#fetch(receipt);
        if (fetched.outcome === 'stored') stored += 1;
        if (fetched.outcome === 'waits') journal.receipts.noteWaiting(receipt, fetched.needed);
      } catch (error) {
        // Without a line, and where the coordinator says that there is none yet, it is asked again.
        if (describeFailure(error).code === 'unreachable') return stored;
        if (!(error instanceof CoordinatorRefusal)) this.#refuse(receipt, error);
      }
    }
    return stored;
  }

  async #fetch(receipt: Receipt): Promise<Fetched> {
    const { journal, port, identity, operatorKey } = this.context;
    const { contribution, run, sum } = receipt;
    const signed = journal.statements.at(contribution);
    if (signed === undefined)
      throw new AgentError('receipt-refused', `The journal does not have the contribution ${contribution} that it was counted with.`);
    let own = await port.receipt(contribution);
    await this.#follower.catchUp();
    const waitsNow: Fetched = { outcome: 'waits', needed: this.#follower.rollAt(this.#follower.size).quorum };
    if (own.checkpoint === '') return waitsNow;
    const logged = this.#follower.freezeOf(run, sum);
    if (logged === undefined) return { outcome: 'later' };
    const freeze = await port.receipt(logged.digest);
    if (freeze.checkpoint === '') return waitsNow;
    // Both under one checkpoint, so that one policy holds for both; the log may have gone on between the two questions.
    const { size } = this.#open(freeze);
    if (this.#open(own).size !== size) own = await port.receipt(contribution);
    if (this.#open(own).size !== size) return { outcome: 'later' };
    if (size > this.#follower.size) await this.#follower.catchUp();
    if (size > this.#follower.size) return { outcome: 'later' };
    const roll = this.#follower.rollAt(Number(size));
    const [frozen] = await port.ledgerEntries(logged.index, 1);
    const material: ReceiptMaterial = {
      contributionProof: proofText(own),
      freezeProof: proofText(freeze),
      freeze: Buffer.from(frozen?.payload ?? new Uint8Array()).toString('utf8'),
      policy: roll.policyText(encodeVkey(this.#logKey)),
    };
    for (const proof of [own, freeze])
      if (!roll.isMetBy(this.#open(proof, roll).note.verifiedBy)) return { outcome: 'waits', needed: roll.quorum };
    const payload = Buffer.from(signed.payload, 'base64');
    const trust = { operatorKey: bytesToHex(operatorKey), siteKey: bytesToHex(identity.publicKey), policy: parsePolicy(material.policy) };
    const { verdict, problems, witnesses } = judgeReceipt(material, payload, trust);
    if (verdict !== 'holds') throw new AgentError('receipt-refused', problems.join(' '));
    journal.receipts.store(receipt, material);
    this.context.tell({ event: 'receipt', run, sum, witnesses: witnesses.length });
    return { outcome: 'stored' };
  }

  #open({ checkpoint }: LoggedProof, roll?: WitnessRoll): OpenedCheckpoint {
    return openCheckpoint(checkpoint, [this.#logKey, ...(roll?.keys ?? [])]);
  }

  /** It stays owed; people are told once for each reason. */
  #refuse({ run, sum }: Receipt, error: unknown): void {
    const reason = printable(describeFailure(error).message, LONGEST_REFUSAL);
    const message = `The receipt of sum ${sum} of ${run} is refused and was not stored: ${reason} Ask the operator, and have the ledger audited. It is asked for again.`;
    if (this.context.journal.activity.refuse(run, `receipt of sum ${sum}`, 'receipt-refused', message))
      this.context.tell({ event: 'refused', run, code: 'receipt-refused', message });
  }
}

function proofText({ index, entry, inclusionProof, checkpoint }: LoggedProof): string {
  return formatTlogProof({ index: BigInt(index), entry, proof: inclusionProof, checkpoint });
}
