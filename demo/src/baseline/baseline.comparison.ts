import { initialModel, type Normalisation, normalisationFromStatistics, type Plan } from '@coferment/consortium';
import { hash } from '@coferment/crypto';
import { concatenateRows, type Dataset, evaluateModel, localStatistics, type Rows, trainLocal } from '@coferment/learning';

export interface BaselineSite {
  readonly id: string;
  readonly dataset: Dataset;
}

export interface BaselineInput {
  readonly plan: Plan;
  /** Every site of the run. Only the virtual consortium can hold them all in one place; that is the point of the comparison. */
  readonly sites: readonly BaselineSite[];
  /** Rounds that the federated run closed: each baseline trains as many times `plan.training.epochs`. */
  readonly rounds: number;
  readonly seed: number;
  readonly federatedModel: Float64Array;
  readonly federatedNormalisation: Normalisation;
}

/** Errors are RMSE in target units. The common test set is the union of all sites' held-out batches. */
export interface BaselineResult {
  readonly testRows: number;
  readonly sites: readonly {
    readonly id: string;
    readonly trainRows: number;
    /** The site's own model on the common test set. */
    readonly localOnly: number;
    /** Both models on the site's own held-out batches. */
    readonly ownTest: { readonly localOnly: number; readonly federated: number };
  }[];
  readonly overall: {
    /** Mean over the sites. */
    readonly localOnly: number;
    readonly federated: number;
    /** One model trained on all rows in one place, which nobody may do with real records. */
    readonly pooled: number;
  };
}

interface Trained {
  readonly model: Float64Array;
  readonly normalisation: Normalisation;
}

/**
 * What a federated run is worth: against each site training alone, and against the forbidden ideal of pooling all records. Each baseline has the same
 * model, epochs, optimizer restarts and normalisation rule (on its own rows) as the run, and starts from weights of its own.
 */
export async function runBaselines(input: BaselineInput): Promise<BaselineResult> {
  const { plan, sites, rounds, seed, federatedModel, federatedNormalisation } = input;
  const test = concatenateRows(sites.map(({ dataset }) => dataset.holdout));
  const rmse = (trained: Trained, rows: Rows): number => {
    const error = evaluateModel(plan, trained.model, rows, trained.normalisation).rmse;
    if (error === undefined) throw new RangeError('There are no held-out rows to compare models on; give each site at least two batches.');
    return error;
  };
  const federated: Trained = { model: federatedModel, normalisation: federatedNormalisation };

  const alone: BaselineResult['sites'][number][] = [];
  for (const { id, dataset } of sites) {
    const trained = await trainAlone(plan, dataset, rounds, seed, id);
    alone.push({
      id,
      trainRows: dataset.train.rows,
      localOnly: rmse(trained, test),
      ownTest: { localOnly: rmse(trained, dataset.holdout), federated: rmse(federated, dataset.holdout) },
    });
  }
  const pool: Dataset = { ...sites[0]!.dataset, train: concatenateRows(sites.map(({ dataset }) => dataset.train)), holdout: test };
  const pooled = await trainAlone(plan, pool, rounds, seed, 'pooled');
  return {
    testRows: test.rows,
    sites: alone,
    overall: {
      localOnly: alone.reduce((total, site) => total + site.localOnly, 0) / alone.length,
      federated: rmse(federated, test),
      pooled: rmse(pooled, test),
    },
  };
}

async function trainAlone(plan: Plan, dataset: Dataset, rounds: number, seed: number, label: string): Promise<Trained> {
  const normalisation = normalisationFromStatistics(plan, { exact: localStatistics(plan, dataset.train), addends: 1 });
  const siteSeed = hash('baseline-seed', seed, label);
  let model = initialModel(plan, 1, [label]);
  for (let round = 0; round < rounds; round++) {
    const { delta } = await trainLocal({ plan, modelIn: model, dataset, normalisation, seed: siteSeed });
    model = model.map((value, index) => value + delta[index]!);
  }
  return { model, normalisation };
}
