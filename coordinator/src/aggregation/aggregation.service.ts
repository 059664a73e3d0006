import { describeModel, shouldStop } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { ModelService, type StoredState } from '../models/model.service.js';
import { ObjectService } from '../objects/object.service.js';
import { ObjectStore } from '../objects/object.store.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { newRound } from '../rounds/round.opening.js';
import type { RunChange } from '../runs/run.change.js';
import { RunChanges } from '../runs/run.changes.js';
import { closeRun } from '../runs/run.closing.js';
import { type RunView, closedRounds, present } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { type Opening, openSum, sumBytes } from './sum.opening.js';

type Opened = Extract<Opening, { ok: true }>;
type Garbled = Extract<Opening, { ok: false }>;

/** Opens certified sums and takes the run to its next one. */
@Injectable()
export class AggregationService {
  constructor(
    private readonly changes: RunChanges,
    private readonly objects: ObjectService,
    private readonly store: ObjectStore,
    private readonly models: ModelService,
  ) {}

  /** All heavy work and all files come first; then one transaction closes the sum and opens the next. */
  async open(view: RunView, sum: number): Promise<void> {
    const round = present(
      view.rounds.find((candidate) => candidate.sum === sum),
      `sum ${sum}`,
    );
    const from = round.modelIn === 'none' ? undefined : await this.models.current(view);
    const opening = openSum({ view, round, uploads: this.#uploads(view, round), shares: this.#shares(view, round), state: from?.state });
    if (!opening.ok) return this.#garble(view, round, opening);
    const sumObject = await this.objects.publish(sumBytes(opening.coefficients));
    const learnt =
      opening.state !== undefined && opening.state !== from?.state ? await this.models.prepare(view, opening.state) : undefined;
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const closed = await this.#close(change, view, round, opening, { sumObject, learnt });
      await this.#openNext(change, withRound(view, closed), closed, learnt ?? from);
    });
  }

  async #close(
    change: RunChange,
    view: RunView,
    before: RoundRow,
    opening: Opened,
    { sumObject, learnt }: { sumObject: string; learnt: StoredState | undefined },
  ): Promise<RoundRow> {
    const { sum, kind, run, epoch } = before;
    const modelOut = kind === 'update' ? present(learnt, 'a model').row.model : 'none';
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
      change.run.model = learnt.row.model;
    }
    const metric = opening.metrics?.rmse ?? null;
    const round: RoundRow = { ...before, modelOut, metric, trainLoss: opening.trainLoss ?? null, closedMs: change.nowMs };
    await change.moveRound(round, 'combine', 'apply');
    if (metric !== null)
      await change.note('metric', { sum, text: `rmse ${metric.toPrecision(6)} over ${opening.metrics?.holdoutCount} holdout rows` });
    if (kind === 'evaluate' && opening.metrics !== undefined) {
      const { holdoutCount } = opening.metrics;
      if (metric !== null) {
        const value = { round: before.round, sum, model: before.modelIn, metric: 'rmse', value: metric, holdoutCount };
        await change.sign('evaluation', slots.ofSum(sum), { consortium: view.consortium, run, ...value });
      }
    }
    return round;
  }

  /** What comes after a closed sum; in the same transaction, so a run never stands still between two sums. */
  async #openNext(change: RunChange, view: RunView, closed: RoundRow, from: StoredState | undefined): Promise<void> {
    const sum = present(view.rounds.at(-1), 'a sum').sum + 1;
    switch (closed.kind) {
      case 'confirm':
        if (!view.rounds.every((round) => round.state === 'closed')) return;
        await change.move('confirm-epoch', `Every key of epoch ${closed.epoch} is confirmed.`);
        return change.openRound(newRound(view, { kind: 'statistics', sum, round: 0, confirms: null, from: undefined }, change.nowMs));
      case 'statistics':
        return change.openRound(newRound(view, { kind: 'update', sum, round: 1, confirms: null, from }, change.nowMs));
      case 'update': {
        const done = closed.round;
        const errors = closedRounds(view).flatMap((round) => (round.kind === 'update' && round.metric !== null ? [round.metric] : []));
        const last = done >= view.plan.rounds || shouldStop(view.plan, errors);
        const next = last ? ({ kind: 'evaluate', round: done } as const) : ({ kind: 'update', round: done + 1 } as const);
        return change.openRound(newRound(view, { ...next, sum, confirms: null, from }, change.nowMs));
      }
      case 'evaluate': {
        const { parameters } = describeModel(view.plan);
        await change.sign('model-released', slots.ofRun(), {
          consortium: view.consortium,
          run: closed.run,
          model: closed.modelIn,
          parameters,
        });
        return closeRun(change, view, {
          event: 'complete',
          cause: '',
          whatToDo: `Take the model: coferment export model ${closed.run} --out DIR`,
        });
      }
    }
  }

  /** Nothing of the sum is applied. Who is named, if anybody, follows from the shares alone. */
  #garble(view: RunView, before: RoundRow, { reason, named, detail }: Garbled): Promise<void> {
    const who = named.length === 0 ? 'nobody can be named' : `at fault: ${named.join(', ')}`;
    const cause = `Sum ${before.sum} (${before.kind}) could not be opened: ${detail} (${reason}; ${who}).`;
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const { run, kind, sum, round } = before;
      await change.sign('round-garbled', slots.ofSum(sum), {
        consortium: view.consortium,
        run,
        e: present(view.epoch.e, 'E'),
        kind,
        sum,
        round,
        reason,
        named,
      });
      await change.moveRound({ ...before, cause, closedMs: change.nowMs }, 'garble');
      const whatToDo = 'Find out with the sites what went wrong, then launch a new run. Going on with a new key epoch is not built yet.';
      await closeRun(change, view, { event: 'fail', cause, whatToDo });
    });
  }

  *#uploads(view: RunView, round: RoundRow): Iterable<Uint8Array> {
    const slot = slots.ofAttempt(round.sum, round.attempt);
    for (const site of round.counted)
      yield this.store.read(present(view.acts.find('contribution', site, slot), 'a contribution').predicate.object);
  }

  #shares(view: RunView, round: RoundRow): Map<number, Uint8Array> {
    const positions = new Map(view.epoch.roster.keyHolders.map((holder, position) => [holder.site, position]));
    const acts = view.acts.inSlot('share', slots.ofSum(round.sum));
    return new Map(acts.map((act) => [present(positions.get(act.site), 'a position'), this.store.read(act.predicate.object)]));
  }
}

function withRound(view: RunView, changed: RoundRow): RunView {
  return { ...view, rounds: view.rounds.map((round) => (round.sum === changed.sum ? changed : round)) };
}
