import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  confirmVector,
  contributionWeight,
  describeModel,
  encodeExact,
  modelDigest,
  type Plan,
  planDigest,
  quantiseUpdate,
  type StrategyState,
  vectorShape,
} from '@coferment/consortium';
import { type AggregationParameters, packVector, sha256Hex, xof } from '@coferment/crypto';
import {
  type BackendName,
  backendInUse,
  buildDataset,
  type Dataset,
  evaluateModel,
  initBackend,
  localStatistics,
  type Rows,
  type SiteBatch,
  trainLocal,
} from '@coferment/learning';
import { dataReportDigest, importSite } from '../data/index.js';
import { NO_BATCHES, NO_DATA_REPORT, type StoredVector, type VectorFacts } from '../journal/stored.vector.js';
import { softwareName } from '../software.version.js';
import { recordsDigest } from './records.digest.js';

/** Stays at the site: shown on its own screen and in its own events. */
export interface TrainingReport {
  rows: number;
  holdoutRows: number;
  trainLoss: number | null;
  saturated: number;
}

export interface BuiltVector {
  vector: StoredVector;
  report: TrainingReport;
}

/** What decides a vector beside plan, model and training seed. Its digests stay at the site: its record holds them under a salt. */
export interface TrainingSource {
  /** Digest of the records as they were read. */
  batches: string;
  /** SHA-256 of the mapping file. */
  mapping: string;
  software: string;
}

/** Turns this site's records into the vectors of a run. The only place of the agent that sees data rows. */
export interface Trainer {
  readonly source: TrainingSource;
  /** Rows that the plan selects for training. */
  trainingRows(plan: Plan): number;
  build(job: VectorJob): Promise<BuiltVector>;
}

export type VectorJob =
  | { kind: 'statistics'; plan: Plan; parameters: AggregationParameters }
  | { kind: 'update' | 'evaluate'; plan: Plan; parameters: AggregationParameters; state: StrategyState };

const SALT_BYTES = 32;
const NO_RECORDS: VectorFacts = { samples: 0, batches: NO_BATCHES, dataReport: NO_DATA_REPORT };

export class SiteTrainer implements Trainer {
  readonly #datasets = new Map<string, Dataset>();

  private constructor(
    private readonly batches: readonly SiteBatch[],
    readonly source: TrainingSource,
    private readonly dataReport: string,
    private readonly trainingSeed: Uint8Array,
  ) {}

  /** Reads the records once: every round of a run trains on what the site had when the agent started. @throws DataError, LearningError */
  static async start(
    source: { mappingFile: string; dataDir: string },
    trainingSeed: Uint8Array,
    backend: BackendName,
  ): Promise<SiteTrainer> {
    await initBackend(backend);
    const { batches, report } = await importSite(source);
    const mapping = sha256Hex(await readFile(source.mappingFile));
    const origin = { batches: recordsDigest(batches), mapping, software: softwareName() };
    return new SiteTrainer(batches, origin, dataReportDigest(report), trainingSeed);
  }

  trainingRows(plan: Plan): number {
    return this.#dataset(plan).train.rows;
  }

  async build(job: VectorJob): Promise<BuiltVector> {
    const { plan, parameters, kind } = job;
    const dataset = this.#dataset(plan);
    const shape = vectorShape(plan, kind);
    const rows = { rows: dataset.train.rows, holdoutRows: dataset.holdout.rows };
    const quiet = { ...rows, trainLoss: null, saturated: 0 };
    switch (job.kind) {
      case 'statistics': {
        const exact = localStatistics(plan, dataset.train);
        const facts = this.#facts(dataset.train, dataset.train.rows);
        return { vector: stored(packVector(shape, parameters, new Uint32Array(), exact), facts, 'none', 0), report: quiet };
      }
      case 'evaluate': {
        const { model, normalisation } = job.state;
        const metrics = evaluateModel(plan, model, dataset.holdout, normalisation);
        const exact = encodeExact(plan, kind, { holdoutCount: metrics.count, holdoutSumSquaredError: metrics.sumSquaredError });
        const facts = this.#facts(dataset.holdout, metrics.count);
        return { vector: stored(packVector(shape, parameters, new Uint32Array(), exact), facts, backendInUse(), 0), report: quiet };
      }
      case 'update': {
        const { model, normalisation, ranges, weightCap } = job.state;
        const update = await trainLocal({ plan, modelIn: model, dataset, normalisation, seed: this.trainingSeed });
        const weight = contributionWeight(plan, update.weight, weightCap);
        const rounding = xof('update-rounding', this.trainingSeed, planDigest(plan), modelDigest(describeModel(plan), model));
        const { packed, saturated } = quantiseUpdate({
          plan,
          ranges,
          delta: update.delta,
          weight,
          weightCap,
          valueBits: parameters.valueBits,
          seed: rounding,
        });
        const exact = encodeExact(plan, kind, {
          weight,
          holdoutCount: update.metrics.count,
          holdoutSumSquaredError: update.metrics.sumSquaredError,
          trainLossSum: update.loss * weight,
        });
        const coefficients = packVector(shape, parameters, packed, exact);
        return {
          vector: stored(coefficients, this.#facts(dataset.train, update.weight), backendInUse(), saturated),
          report: { ...rows, trainLoss: update.loss, saturated },
        };
      }
    }
  }

  #facts({ batchIds }: Rows, samples: number): VectorFacts {
    return { samples, batches: new Set(batchIds).size, dataReport: this.dataReport };
  }

  #dataset(plan: Plan): Dataset {
    const key = planDigest(plan);
    const known = this.#datasets.get(key) ?? buildDataset(plan, this.batches);
    this.#datasets.set(key, known);
    return known;
  }
}

/** The public vector with which a site proves its key epoch (S4). It holds no data and is the same whenever it is computed. */
export function confirmationVector(plan: Plan, e: string, site: string, parameters: AggregationParameters): StoredVector {
  const { packed, exact } = confirmVector(e, site, parameters.valueBits);
  return stored(packVector(vectorShape(plan, 'confirm'), parameters, packed, exact), NO_RECORDS, 'none', 0);
}

function stored(coefficients: BigUint64Array, facts: VectorFacts, backend: StoredVector['backend'], saturated: number): StoredVector {
  return { ...facts, coefficients, salt: new Uint8Array(randomBytes(SALT_BYTES)), backend, saturated };
}
