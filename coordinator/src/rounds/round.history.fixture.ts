import { Clock } from '../telemetry/clock.js';
import { type Predicate, type PredicateName, rosterFingerprint, statementBytes } from '@coferment/consortium';
import { generateIdentity, sha256Hex } from '@coferment/crypto';
import type { EntityManager } from 'typeorm';
import { OPERATOR } from '../runs/act.entity.js';
import { firstRoster } from '../runs/first.roster.js';
import { nextStep } from '../runs/next.step.js';
import { RunChange } from '../runs/run.change.js';
import type { RunChanges } from '../runs/run.changes.js';
import type { RunRepository } from '../runs/run.repository.js';
import { type RunView, nextSumNumber } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { E, runningView } from '../testing/run-view.fixture.js';
import type { Presence } from './presence.js';
import type { RoundRow } from './round.entity.js';
import { newRound } from './round.opening.js';
import { RoundService } from './round.service.js';

const DIGEST = 'd'.repeat(64);
const operator = generateIdentity();

/** A run over any number of sums with the real rules and the real round service, on a store that is one object. */
export class RoundHistory {
  readonly view: RunView;
  readonly notes: string[] = [];
  nowMs = 1_000_000;
  absent = new Set<string>();
  #sequence = 0;
  readonly #rounds: RoundService;

  constructor(
    readonly sites: readonly string[],
    quorum: Partial<RunView['plan']['quorum']> = {},
  ) {
    const view = runningView();
    Object.assign(view.plan.quorum, quorum);
    const roster = firstRoster(
      view.plan,
      sites.map((site) => ({ site, identityKey: sha256Hex(Buffer.from(site)) })),
    );
    Object.assign(view.epoch, { roster, fingerprint: rosterFingerprint(roster) });
    view.run.sites = [...sites];
    view.rounds = [];
    this.view = view;
    const repository = {
      saveRound: async (_: unknown, round: RoundRow) => this.#save(round),
      addAct: async (_: unknown, { name, site, slot, envelope, digest }: Parameters<RunRepository['addAct']>[1]) =>
        this.#add({ name, site, slot, envelope, digest }),
      addEvent: async (_: unknown, { text }: { text: string }) => void this.notes.push(text),
    } as unknown as RunRepository;
    const changes = {
      apply: async (_: string, __: number, work: (change: RunChange) => Promise<void>) =>
        work(new RunChange({} as EntityManager, view.run, this.nowMs, repository, operator)),
    } as unknown as RunChanges;
    const presence = {
      silentMs: ({ site }: { site: string }) => (this.absent.has(site) ? 42_000 : 0),
    } as unknown as Presence;
    this.#rounds = new RoundService(changes, presence, new Clock());
  }

  get round(): RoundRow {
    return this.view.rounds.at(-1)!;
  }

  open(): void {
    const sum = nextSumNumber(this.view) + (this.view.rounds.length === 0 ? 4 : 0);
    this.view.rounds.push(newRound(this.view, { kind: 'statistics', sum, round: 0, confirms: null, from: undefined }, this.nowMs));
  }

  close(): void {
    this.#save({ ...this.round, state: 'closed' });
  }

  nonce(site: string): void {
    const { kind, sum, attempt, i } = this.round;
    const predicate = { ...this.#inSum, kind, sum, i, attempt, site, nonce: sha256Hex(Buffer.from(`${site} ${sum} ${attempt}`)) };
    this.#give('nonce', site, slots.ofAttempt(sum, attempt), predicate);
  }

  decline(site: string, reason: Predicate<'attempt-declined'>['reason']): void {
    const { kind, sum, attempt } = this.round;
    this.#give('attempt-declined', site, slots.ofAttempt(sum, attempt), { ...this.#inSum, kind, sum, attempt, site, reason });
  }

  upload(site: string): void {
    const { kind, sum, attempt, k } = this.round;
    this.#give('contribution', site, slots.ofAttempt(sum, attempt), {
      ...this.#inSum,
      kind,
      sum,
      attempt,
      k: k!,
      site,
      blocks: 1,
      droppedBits: 0,
      object: DIGEST,
      merkleRoot: sha256Hex(Buffer.from(site)),
      ranges: DIGEST,
      sampleCommitment: DIGEST,
      batchCommitment: DIGEST,
      dataReportCommitment: DIGEST,
      backend: 'none',
    });
  }

  leave(site: string): void {
    const { run, epoch, consortium } = { ...this.#inSum, epoch: this.view.epoch.epoch };
    this.#give('epoch-left', site, slots.ofEpoch(epoch), { consortium, run, epoch, site, reason: 'restored' });
  }

  readmit(site: string, sum: number): void {
    const { consortium, run } = this.#inSum;
    this.#give('site-readmitted', OPERATOR, slots.ofReadmission(site, sum), { consortium, run, site, sum });
  }

  /** Everything that the coordinator does by itself at this moment. */
  async settle(): Promise<void> {
    for (;;) {
      // As it was read: what a change stores does not show in it.
      const view = { ...this.view };
      const step = nextStep(view, (sites) => new Set(sites.filter((site) => this.absent.has(site))), this.nowMs);
      if (step?.do === 'close-list') await this.#rounds.closeList(view, step.sum, step.excluded);
      else if (step?.do === 'new-attempt') await this.#rounds.newAttempt(view, step.sum);
      else if (step?.do === 'freeze') return this.#rounds.freeze(view, step.sum, step.counted, step.dropped);
      else if (step?.do === 'abandon') return this.#rounds.abandon(view, step.sum, step.excluded);
      else return;
    }
  }

  /** What the ledger says of the last sum. */
  get said(): Predicate<'round-frozen'> | Predicate<'round-abandoned'> | undefined {
    const slot = slots.ofSum(this.round.sum);
    return (this.view.acts.find('round-frozen', OPERATOR, slot) ?? this.view.acts.find('round-abandoned', OPERATOR, slot))?.predicate;
  }

  get #inSum() {
    return { consortium: this.view.consortium, run: this.view.run.run, e: E };
  }

  #save(round: RoundRow): void {
    this.view.rounds = this.view.rounds.map((before) => (before.sum === round.sum ? round : before));
  }

  #give<N extends PredicateName>(name: N, site: string, slot: string, predicate: Predicate<N>): void {
    if (this.view.acts.has(name, site, slot)) return;
    const payload = statementBytes(name, predicate);
    // The rules look at no signature: it was checked on arrival.
    const envelope = { payload: Buffer.from(payload).toString('base64'), payloadType: 'application/vnd.in-toto+json', signatures: [] };
    this.#add({ name, site, slot, digest: sha256Hex(payload), envelope: envelope as never });
  }

  #add(act: Pick<Parameters<RunView['acts']['add']>[0][number], 'name' | 'site' | 'slot' | 'digest' | 'envelope'>): void {
    this.view.acts.add([{ ...act, run: this.view.run.run, sequence: ++this.#sequence, receivedMs: this.nowMs }]);
  }
}
