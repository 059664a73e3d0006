import { Injectable } from '@nestjs/common';
import type { ModelStateRow } from '../models/model-state.entity.js';
import { ModelService } from '../models/model.service.js';
import { coefficientsOf } from '../objects/object-size.rule.js';
import { ObjectService } from '../objects/object.service.js';
import { ObjectStore } from '../objects/object.store.js';
import { GRACE_MS } from '../rounds/quorum-grace.rule.js';
import type { RoundRow } from '../rounds/round.entity.js';
import type { RunChange } from '../runs/run.change.js';
import { RunChanges } from '../runs/run.changes.js';
import { needsModel, openNextSum } from '../runs/next.sum.js';
import { type RunView, present } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { withFiles } from './held.files.js';
import { type SignedFile, SumOpener } from './sum.opener.js';
import type { StateFacts } from './sum.step.js';
import { type Garbled, type Opened, describeRefusal, describeStep } from './sum.opening.js';

/** Files that a sum is written to before it has been judged. */
interface Drafts {
  sum: string;
  model: string;
}

interface NeededFile extends SignedFile {
  object: string;
}

/** Opens certified sums and takes the run to its next one. */
@Injectable()
export class AggregationService {
  constructor(
    private readonly changes: RunChanges,
    private readonly objects: ObjectService,
    private readonly store: ObjectStore,
    private readonly models: ModelService,
    private readonly opener: SumOpener,
  ) {}

  /** All heavy work and all files come first; then one transaction closes the sum and opens the next. */
  async open(view: RunView, sum: number): Promise<void> {
    const round = present(
      view.rounds.find((candidate) => candidate.sum === sum),
      `sum ${sum}`,
    );
    const from = needsModel(view, round) ? await this.models.current(view) : undefined;
    const drafts = { sum: `sum-${view.run.run}-${sum}`, model: `model-${view.run.run}-${sum}` };
    const opening = await this.#opened(view, round, drafts, from);
    if (!opening.ok) {
      // Before the transaction: opened again after a crash, the sum is written again.
      for (const draft of Object.values(drafts)) await this.store.discardDraft(draft);
      return this.#garble(view, round, opening);
    }
    const sumObject = await this.objects.publishDraft(drafts.sum);
    const learnt = opening.learnt && (await this.models.adopt(view, opening.learnt, drafts.model));
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const closed = await this.#close(change, view, round, opening, { sumObject, learnt });
      await openNextSum(change, withRound(view, closed), closed, learnt ?? from);
    });
  }

  async #close(
    change: RunChange,
    view: RunView,
    before: RoundRow,
    opening: Opened,
    { sumObject, learnt }: { sumObject: string; learnt: ModelStateRow | undefined },
  ): Promise<RoundRow> {
    const { sum, kind, run, epoch } = before;
    const modelOut = kind === 'update' ? present(learnt, 'a model').model : 'none';
    const certificate = view.acts
      .inSlot('attestation', slots.ofAttestation(kind, epoch, sum))
      .filter((act) => before.certificate.includes(act.digest));
    await change.sign('aggregate', slots.ofSum(sum), {
      consortium: view.consortium,
      run,
      e: present(view.epoch.e, 'E'),
      kind,
      sum,
      epoch,
      round: before.round,
      k: present(before.k, 'K'),
      t: present(before.t, 'T'),
      sumObject,
      certificate: certificate.map(({ site, digest }) => ({ site, attestation: digest })),
      shares: view.acts.inSlot('share', slots.ofSum(sum)).map(({ site, digest }) => ({ site, share: digest })),
      modelIn: before.modelIn,
      modelOut,
    });
    if (learnt !== undefined) {
      await this.models.save(change.manager, learnt);
      change.run.model = learnt.model;
    }
    const metric = opening.metrics?.rmse ?? null;
    const round: RoundRow = { ...before, modelOut, metric, trainLoss: opening.trainLoss ?? null, closedMs: change.nowMs };
    await change.moveRound(round, 'combine', 'apply');
    if (metric !== null)
      await change.note('metric', { sum, text: `rmse ${metric.toPrecision(6)} over ${opening.metrics?.holdoutCount} holdout rows` });
    if (metric !== null && opening.metrics !== undefined) {
      const { holdoutCount } = opening.metrics;
      // Every sum tells the error of the model that it starts from: of a training sum that is the one which the round before has left.
      const ofRound = kind === 'evaluate' ? before.round : before.round - 1;
      const value = { round: ofRound, sum, model: before.modelIn, metric: 'rmse', value: metric, holdoutCount };
      await change.sign('evaluation', slots.ofSum(sum), { consortium: view.consortium, run, ...value });
    }
    return round;
  }

  /** Nothing of the sum is applied. A further share may still show who is at fault, so it is waited for a while. */
  #garble(view: RunView, before: RoundRow, { reason, named, detail }: Garbled): Promise<void> {
    const shares = view.acts.inSlot('share', slots.ofSum(before.sum)).length;
    return this.changes.apply(view.run.run, view.run.version, (change) =>
      change.moveRound({ ...before, failure: { reason, named, detail, shares }, deadlineMs: change.nowMs + GRACE_MS }, 'garble'),
    );
  }

  /** The threads write the sum and the model after it to drafts, which are published once all is well. */
  async #opened(view: RunView, round: RoundRow, drafts: Drafts, from: ModelStateRow | undefined): Promise<Opened | Garbled> {
    const uploads = this.#uploads(view, round);
    const shares = this.#shares(view, round);
    const model = from && { what: `the model of round ${from.round}`, path: this.store.pathOf(from.object), object: from.object };
    return withFiles(this.store, [...uploads, ...shares.values(), ...(model === undefined ? [] : [model])], () =>
      this.#openFiles(view, round, { uploads, shares, drafts, from }),
    );
  }

  async #openFiles(
    view: RunView,
    round: RoundRow,
    {
      uploads,
      shares,
      drafts,
      from,
    }: { uploads: NeededFile[]; shares: Map<number, NeededFile>; drafts: Drafts; from: ModelStateRow | undefined },
  ): Promise<Opened | Garbled> {
    const sum = this.store.draftPath(drafts.sum);
    const input = { view, round, shares: shares.size };
    const { parameters } = view.epoch.roster;
    const opened = await this.opener.open({
      parameters,
      coefficients: coefficientsOf(view, round),
      uploads,
      shares,
      target: sum,
    });
    if (!opened.ok) return describeRefusal(input, opened);
    const { plan, run, epoch } = view;
    const stepped = await this.opener.step({
      plan,
      kind: round.kind,
      ordinal: run.ordinal,
      sites: run.sites,
      parameters,
      addends: round.counted.length,
      confirms: round.confirms === null ? undefined : { site: round.confirms, e: present(epoch.e, 'E') },
      from: from && { facts: factsOf(from), path: this.store.pathOf(from.object), object: from.object },
      sum,
      target: this.store.draftPath(drafts.model),
    });
    return describeStep(input, stepped);
  }

  #uploads(view: RunView, round: RoundRow): NeededFile[] {
    const slot = slots.ofAttempt(round.sum, round.attempt);
    return round.counted.map((site) => {
      const { object, merkleRoot } = present(view.acts.find('contribution', site, slot), 'a contribution').predicate;
      return { what: `the upload of "${site}" to sum ${round.sum}`, path: this.store.pathOf(object), object, merkleRoot };
    });
  }

  #shares(view: RunView, round: RoundRow): Map<number, NeededFile> {
    const positions = new Map(view.epoch.roster.keyHolders.map((holder, position) => [holder.site, position]));
    const acts = view.acts.inSlot('share', slots.ofSum(round.sum));
    return new Map(
      acts.map(({ site, predicate: { object, merkleRoot } }) => [
        present(positions.get(site), 'a position'),
        { what: `the decryption share of "${site}" for sum ${round.sum}`, path: this.store.pathOf(object), object, merkleRoot },
      ]),
    );
  }
}

function factsOf({ round, model, ranges, weightCap, normalisation }: ModelStateRow): StateFacts {
  return { round, model, ranges, weightCap, normalisation };
}

function withRound(view: RunView, changed: RoundRow): RunView {
  return { ...view, rounds: view.rounds.map((round) => (round.sum === changed.sum ? changed : round)) };
}
