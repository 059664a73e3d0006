import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { Health } from '../telemetry/health.js';
import { Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { RunGauges } from './run.gauges.js';
import { SiteGauges } from './site.gauges.js';
import { StoreGauges } from './store.gauges.js';

/** Prometheus gives up after 10 s if it is told nothing else. */
const LONGEST_READ_MS = 5000;
/** Whoever asks more often gets what was read just now. */
const FRESH_MS = 1000;

/** What /metrics answers: what was counted, and the stored state as it is when somebody asks. */
@Injectable()
export class MetricsAnswer {
  #reading: Promise<boolean> | undefined;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(
    database: Database,
    private readonly runs: RunGauges,
    private readonly sites: SiteGauges,
    private readonly stores: StoreGauges,
    private readonly health: Health,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {
    database.onTransaction((seconds, outcome) => metrics.transactions.observe({ outcome }, seconds));
  }

  get type(): string {
    return this.metrics.registry.contentType;
  }

  async text(): Promise<string> {
    const { metrics } = this;
    // A database that does not answer is when the metrics are wanted most: those of this process come all the same, and none of the state is left standing as if it held.
    const isReadable =
      performance.now() - this.#readMs < FRESH_MS || (await Promise.race([this.#read(), sleep(LONGEST_READ_MS, false, { ref: false })]));
    metrics.stateReadable.set(isReadable ? 1 : 0);
    if (!isReadable) this.#forget();
    const { ready, checks } = this.health.report();
    metrics.ready.set(ready ? 1 : 0);
    for (const { name, ok } of checks) metrics.health.set({ check: name }, ok ? 1 : 0);
    return metrics.registry.metrics();
  }

  /** One reading at a time, for however many ask. */
  #read(): Promise<boolean> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<boolean> {
    try {
      await this.sites.refresh(await this.runs.refresh());
      await this.stores.refresh();
      this.#readMs = performance.now();
      return true;
    } catch (error) {
      this.log.error('the state could not be read for the metrics', error);
      return false;
    }
  }

  #forget(): void {
    const { metrics } = this;
    const { runs, sums, outcomes, runRounds, runWaitingFor, runDeadline, runChanged } = metrics;
    const { sites, sitePresent, sitePolled, siteSetAside, siteCertificate, ledger, cosignatures } = metrics;
    const ofRuns = [runs, sums, outcomes, runRounds, runWaitingFor, runDeadline, runChanged];
    for (const gauge of [...ofRuns, sites, sitePresent, sitePolled, siteSetAside, siteCertificate, ledger, cosignatures]) gauge.reset();
  }
}
