import { type NoteSignature, type VerifierKey, encodeVkey, formatSignature, parseNote, parseVkey, witnessName } from '@coferment/ledger';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { SiteMember } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { LedgerLog } from '../publication/ledger.log.js';
import { PublicationService } from '../publication/publication.service.js';
import { retryMs } from '../publication/retry.pause.js';
import { Replicas } from '../replicas/replicas.service.js';
import { Settings } from '../settings.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import { CheckpointOffer } from './checkpoint.offer.js';
import { readNote, requireNotAhead, rootOf } from './cosigned.note.js';
import { FollowedRoll } from './followed.roll.js';
import { OfferSequence } from './offer.sequence.js';
import type { CosignatureRow, OfferRow } from './witnessing.entity.js';
import { WitnessingRepository } from './witnessing.repository.js';

/** What whoever asks for the ledger's checkpoint is told. */
interface NewestCheckpoint {
  checkpoint: string;
  /** Whether more cosignatures are still waited for. */
  pending: boolean;
  /** The newest with its quorum; empty while there is none, and where too few witnesses are known for another. */
  witnessed: string;
}

/**
 * Offers checkpoints to witnesses, one at a time, and collects their cosignatures. What is known here is on the disk before anybody is told, and whatever is done to
 * it is done in turn.
 */
@Injectable()
export class WitnessingService implements OnModuleDestroy {
  readonly #offered = new ChangeNotifier();
  readonly #sequence: OfferSequence;
  /** At the newest offer. */
  readonly #roll: FollowedRoll;
  /** At the newest signed checkpoint: a key may have gone since the offer. */
  readonly #latest: FollowedRoll;
  #turn: Promise<unknown> = Promise.resolve();
  #isDueQueued = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Offers that failed since the last that did not. */
  #failures = 0;
  /** Of the offers that are known here: see {@link WitnessingRepository.stamp}. */
  #stamp = '';
  #freshening: Promise<void> | undefined;
  /** Entries under the largest checkpoint that is stored as shown. */
  #noted = 0;

  constructor(
    private readonly publication: PublicationService,
    private readonly ledger: LedgerLog,
    private readonly database: Database,
    private readonly repository: WitnessingRepository,
    private readonly identity: ConsortiumIdentity,
    private readonly log: Log,
    private readonly replicas: Replicas,
    settings: Settings,
  ) {
    this.#sequence = new OfferSequence(settings.offerMs);
    const { origin, logVkey } = identity.facts;
    this.#roll = new FollowedRoll(database, repository, { origin, logVkey });
    this.#latest = new FollowedRoll(database, repository, { origin, logVkey });
  }

  /** Goes on with the offers of before. To be called when the ledger is open. @throws CoordinatorError 'log-forked' */
  async open(): Promise<void> {
    const { offers, cosignatures } = await this.#stored();
    const dropped: number[] = [];
    for (const row of offers) {
      const own = cosignatures.filter(({ size }) => size === row.size);
      dropped.push(...this.#sequence.begin(await this.#resumed(row, own), this.replicas.nowMs(), row.isShown));
      if (row.isShown) this.#noted = row.size;
    }
    await this.database.transaction((manager) => this.repository.dropOffers(manager, dropped));
    this.publication.watch(() => this.#advance());
    this.#advance();
    await this.#turn;
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#offered.changed();
    await this.#turn;
  }

  /** What witnesses are asked to cosign now. */
  get current(): CheckpointOffer | undefined {
    return this.#sequence.current;
  }

  /** The newest with its quorum. */
  get witnessed(): CheckpointOffer | undefined {
    return this.#sequence.witnessed;
  }

  /**
   * Takes in what other coordinators on this database have done. Whatever any of them has shown before this is called is known here after it: a caller who turns to this
   * one must not find the ledger smaller. Nothing is to be done on an embedded database, which only this process changes.
   * @throws CoordinatorError 'log-forked'
   */
  freshen(): Promise<void> {
    if (!this.database.isShared) return Promise.resolve();
    // One that has not begun yet reads later than whoever asks now.
    this.#freshening ??= this.#inTurn(() => {
      this.#freshening = undefined;
      return this.#follow();
    });
    return this.#freshening;
  }

  /** What may be shown to the public: see {@link OfferSequence.published}. Where others could be asked next, it is stored as shown before it is. */
  async shown(): Promise<CheckpointOffer | undefined> {
    await this.freshen();
    const { published } = this;
    if (!this.database.isShared || published === undefined || published.size <= this.#noted) return published;
    const isNoted = await this.database.transaction((manager) => this.repository.noteShown(manager, published.size));
    if (isNoted) this.#noted = Math.max(this.#noted, published.size);
    // Another one has dropped it, so it has a larger one.
    else await this.freshen();
    return this.published;
  }

  /** As far as this process knows; whoever is shown it asks for {@link shown}. */
  get published(): CheckpointOffer | undefined {
    return this.#sequence.published(this.replicas.nowMs());
  }

  /** The newest signed checkpoint with the cosignatures that it has. */
  newest(): NewestCheckpoint {
    const { size, checkpoint, signedMs } = this.publication;
    const offer = this.#sequence.ofSize(size);
    const { current = offer } = this;
    const isHoped = current !== undefined && current.isReachable && current.electorate.quorum > 0;
    const witnessed = isHoped ? (this.witnessed?.note ?? '') : '';
    if (offer !== undefined) return { checkpoint: offer.note, pending: !this.#sequence.hasEnded(offer, this.replicas.nowMs()), witnessed };
    // It waits for the one before it.
    return { checkpoint, pending: isHoped && this.#sequence.restMs({ beganMs: signedMs }, Date.now()) > 0, witnessed };
  }

  /** What a witness is asked to cosign next: see {@link OfferSequence.owed}. */
  owedBy(key: VerifierKey, seen: number): CheckpointOffer | undefined {
    return this.#sequence.owed(key, seen);
  }

  /** When the offer ends, if its quorum is not met by then; 0 when nobody is waited for. */
  get untilMs(): number {
    const { current } = this;
    const nowMs = this.replicas.nowMs();
    return current === undefined || this.#sequence.hasEnded(current, nowMs) ? 0 : nowMs + this.#sequence.restMs(current, nowMs);
  }

  /** Newest cosignature of each key among the offers that are kept. */
  lastCosignatures(): ReadonlyMap<string, { size: number; time: Date }> {
    return new Map(
      this.#sequence.offers.flatMap(({ size, cosignatures }) =>
        cosignatures.map(({ key, time }) => [encodeVkey(key), { size, time }] as const),
      ),
    );
  }

  /** Resolves when another checkpoint is offered, after `timeoutMs`, or when the signal aborts. */
  nextOffer(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#offered.next(timeoutMs, signal);
  }

  /**
   * What the site is to cosign beyond the entries that it has seen, as soon as there is such a thing; undefined when there was nothing for as long as it waits.
   * @throws CoordinatorError 'malformed' when it has seen more entries than there are
   */
  async await(
    { site }: SiteMember,
    oldSize: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ checkpoint: string; proof: Uint8Array[] } | undefined> {
    await this.freshen();
    if (oldSize > this.publication.size)
      throw new CoordinatorError(
        'malformed',
        `"${site}" has cosigned ${oldSize} entries; this ledger has ${this.publication.size}. Keep that checkpoint and show it to the other members.`,
      );
    const endMs = Date.now() + waitMs;
    for (;;) {
      const offer = this.#owedBySite(site, oldSize);
      if (offer !== undefined) {
        const proof = oldSize === 0 ? [] : await this.ledger.consistencyProof(oldSize, offer.size);
        return { checkpoint: offer.signed, proof };
      }
      const restMs = endMs - Date.now();
      if (restMs <= 0 || signal.aborted || this.#stopped) return undefined;
      await this.#offered.next(restMs, signal);
    }
  }

  /**
   * Takes a site's cosignature of a checkpoint that was offered. The same again is answered like the first time.
   * @param note the checkpoint with the site's own line
   * @throws CoordinatorError 'too-large', 'malformed', 'not-owed', 'forbidden', 'bad-signature', 'clock-off'
   */
  async addOfSite({ site }: SiteMember, note: string): Promise<void> {
    const { text, signatures } = readNote(note);
    await this.freshen();
    await this.#inTurn(async () => {
      const offer = this.#requireOffer(text);
      const name = witnessName(this.identity.facts.origin, site);
      const key = offer.electorate.keys.find((known) => known.name === name);
      const latest = await this.#latest.upTo(this.publication.size);
      if (key === undefined || !latest.keys.some((known) => encodeVkey(known) === encodeVkey(key)))
        throw new CoordinatorError(
          'forbidden',
          `"${site}" has no witness key that holds for the checkpoint of ${offer.size} entries. Send the site's witness-key first, and cosign the next one.`,
        );
      await this.#keep(offer, signatures, key);
    });
  }

  /** Takes the lines that a witness outside the consortium answered with. @throws CoordinatorError as above */
  async addOfOutsider(key: VerifierKey, offered: CheckpointOffer, lines: string): Promise<void> {
    const { text, signatures } = readNote(`${offered.text}\n${lines}`);
    await this.#inTurn(() => this.#keep(this.#requireOffer(text), signatures, key));
  }

  #owedBySite(site: string, oldSize: number): CheckpointOffer | undefined {
    const name = witnessName(this.identity.facts.origin, site);
    const key = this.current?.electorate.keys.find((known) => known.name === name);
    return key && this.#sequence.owed(key, oldSize);
  }

  #requireOffer(text: string): CheckpointOffer {
    const offer = this.#sequence.find(text);
    if (offer !== undefined) return offer;
    throw new CoordinatorError(
      'not-owed',
      `No such checkpoint is offered, or not any more: "${text.slice(0, 120).replaceAll('\n', ' ')}". Ask for the one that is, and cosign that.`,
    );
  }

  async #keep(offer: CheckpointOffer, signatures: readonly NoteSignature[], key: VerifierKey): Promise<void> {
    const cosignature = offer.verify(signatures, key);
    requireNotAhead(cosignature, Date.now());
    if (offer.isCosignedBy(key) || offer.isFull) return;
    const row = { size: offer.size, vkey: encodeVkey(key), line: formatSignature(cosignature.signature) };
    const shown = this.published;
    await this.database.transaction(async (manager) => {
      await this.repository.addCosignature(manager, row);
      // Its quorum may come now; after a restart the larger one must be shown still.
      if (shown !== undefined && shown.size > offer.size) await this.repository.noteShown(manager, shown.size);
    });
    if (this.database.isShared) {
      // Another coordinator may have taken one of the same witness first, and may have dropped the offer.
      await this.#follow();
      if (!offer.isCosignedBy(key)) this.#requireOffer(offer.text);
    } else offer.add(cosignature);
    this.#advance();
  }

  /** In turn. Each reads the database, so both come to the same offers with the same cosignatures in the same order. */
  async #follow(): Promise<void> {
    const stamp = await this.database.transaction((manager) => this.repository.stamp(manager));
    if (stamp.entries > this.publication.size) await this.publication.follow();
    if (stamp.offers !== this.#stamp) await this.#followOffers(stamp.offers);
  }

  async #followOffers(stamp: string): Promise<void> {
    const { offers, cosignatures } = await this.#stored();
    // Offered since the size was read.
    if ((offers.at(-1)?.size ?? 0) > this.publication.size) await this.publication.follow();
    const nowMs = this.replicas.nowMs();
    const kept: CheckpointOffer[] = [];
    for (const row of offers) {
      const own = cosignatures.filter(({ size }) => size === row.size);
      const known = this.#sequence.ofSize(row.size);
      // Clocks are never quite the same: an offer of the next moment is one of now.
      if (known === undefined) kept.push(await this.#resumed({ ...row, beganMs: Math.min(row.beganMs, nowMs) }, own));
      else {
        addAll(known, own);
        kept.push(known);
      }
    }
    const shown = offers.findLast(({ isShown }) => isShown)?.size ?? 0;
    this.#noted = Math.max(this.#noted, shown);
    const before = this.current;
    this.#sequence.follow(
      kept,
      kept.find(({ size }) => size === shown),
    );
    this.#stamp = stamp;
    if (this.current !== before) this.#offered.changed();
    this.#awaitEnd(nowMs);
  }

  #stored(): Promise<{ offers: OfferRow[]; cosignatures: CosignatureRow[] }> {
    return this.database.snapshot(async (manager) => ({
      offers: await this.repository.offers(manager),
      cosignatures: await this.repository.cosignatures(manager),
    }));
  }

  /** Offers the newest signed checkpoint when it is due. */
  #advance(): void {
    if (this.#isDueQueued || this.#stopped) return;
    this.#isDueQueued = true;
    this.#inTurn(async () => {
      this.#isDueQueued = false;
      if (this.#stopped) return;
      if (this.database.isShared) await this.#follow();
      const { size, checkpoint } = this.publication;
      const nowMs = this.replicas.nowMs();
      if (size > 0 && this.#sequence.isDue(size, nowMs)) await this.#offer(size, checkpoint, nowMs);
      this.#awaitEnd(nowMs);
      this.#failures = 0;
    }).catch((error: unknown) => {
      this.log.error('a checkpoint could not be offered to witnesses', error);
      clearTimeout(this.#timer);
      // No other act need ever come, which would try again.
      if (!this.#stopped) this.#timer = setTimeout(() => this.#advance(), retryMs(this.#failures++));
    });
  }

  async #offer(size: number, checkpoint: string, nowMs: number): Promise<void> {
    const row = { size, note: checkpoint, beganMs: nowMs, isShown: false };
    const isNew = await this.database.transaction((manager) => this.repository.addOffer(manager, row));
    // By another coordinator, or by this one when the answer to its commit was lost.
    if (!isNew) return this.#followOffers('');
    const dropped = this.#sequence.begin(new CheckpointOffer(size, checkpoint, await this.#roll.upTo(size), nowMs), nowMs);
    this.#offered.changed();
    await this.database.transaction((manager) => this.repository.dropOffers(manager, dropped));
  }

  #awaitEnd(nowMs: number): void {
    const { current } = this;
    clearTimeout(this.#timer);
    if (current === undefined || this.#stopped || this.#sequence.hasEnded(current, nowMs)) return;
    this.#timer = setTimeout(() => this.#advance(), this.#sequence.restMs(current, nowMs));
  }

  async #resumed({ size, note, beganMs }: OfferRow, rows: readonly CosignatureRow[]): Promise<CheckpointOffer> {
    const isOurs =
      size <= this.ledger.size && Buffer.compare(rootOf(note, this.identity.facts.logVkey), await this.ledger.root(size)) === 0;
    if (!isOurs)
      throw new CoordinatorError(
        'log-forked',
        `Witnesses were offered a checkpoint of ${size} entries that the ledger of ${this.ledger.size} entries in the database does not extend. ` +
          'Restore a newer backup. Going on would show members two different ledgers.',
      );
    const offer = new CheckpointOffer(size, note, await this.#roll.upTo(size), beganMs);
    addAll(offer, rows);
    return offer;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

/** Of those that are known already nothing is verified again. */
function addAll(offer: CheckpointOffer, rows: readonly CosignatureRow[]): void {
  for (const { vkey, line } of rows) {
    const key = parseVkey(vkey);
    if (!offer.isCosignedBy(key)) offer.add(offer.verify(parseNote(`${offer.text}\n${line}`).signatures, key));
  }
}
