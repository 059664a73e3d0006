import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A poll is held for up to 20 s, an upload can take hours. */
const CALL_SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120, 600];
const STEP_SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1200];
const QUERY_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

/**
 * Everything that a coordinator counts and measures, of one process: two in one process do not mix. No label grows without end: methods, codes, states and kinds are
 * closed sets, a consortium has at most 128 sites, and a run has series only while it is not over. Digests are never labels. docs/monitoring.md explains each.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  // Counted where it happens.
  readonly calls = this.#counter('coferment_calls_total', 'Calls that have ended, by method and by how they ended.', ['method', 'code']);
  readonly callSeconds = this.#histogram(
    'coferment_call_duration_seconds',
    'How long calls took; polls are held on purpose.',
    CALL_SECONDS,
    ['method'],
  );
  readonly received = this.#counter('coferment_object_received_bytes_total', 'Bytes of objects that sites have sent, by purpose.', [
    'purpose',
  ]);
  readonly sent = this.#counter('coferment_object_sent_bytes_total', 'Bytes of objects that were handed out, by purpose.', ['purpose']);
  readonly stepSeconds = this.#histogram('coferment_step_duration_seconds', 'How long the steps of runs took, by kind.', STEP_SECONDS, [
    'step',
  ]);
  readonly stepFailures = this.#counter('coferment_step_failures_total', 'Steps of runs that failed and are tried again.', []);
  readonly transactions = this.#histogram(
    'coferment_database_transaction_duration_seconds',
    'How long transactions took, with the wait for a connection.',
    QUERY_SECONDS,
    ['outcome'],
  );

  // Read from what is stored, when somebody asks.
  readonly stateReadable = this.#gauge(
    'coferment_state_readable',
    '1 when the state of runs, sites and ledger could be read for this answer.',
    [],
  );
  readonly runs = this.#gauge('coferment_runs', 'Runs, by state.', ['state']);
  readonly sums = this.#gauge('coferment_sums', 'Sums of all runs, by kind and state.', ['kind', 'state']);
  readonly outcomes = this.#gauge('coferment_site_outcomes', 'How sites came out of frozen and abandoned training rounds, over all runs.', [
    'outcome',
  ]);
  readonly runRounds = this.#gauge('coferment_run_rounds', 'Training rounds of a run that is not over.', ['run', 'stage']);
  readonly runWaitingFor = this.#gauge('coferment_run_waiting_for_sites', 'Sites that a run which is not over waits for.', ['run']);
  readonly runDeadline = this.#gauge(
    'coferment_run_deadline_timestamp_seconds',
    'When the present wait of a run ends by itself; absent where it does not.',
    ['run'],
  );
  readonly runChanged = this.#gauge(
    'coferment_run_changed_timestamp_seconds',
    'When a run that is not over last changed, by the last act or event of it.',
    ['run'],
  );
  readonly sites = this.#gauge('coferment_sites', 'Members of the consortium, by role and state.', ['role', 'state']);
  readonly sitePresent = this.#gauge('coferment_site_present', '1 when an enrolled site polls, 0 when it is absent.', ['site']);
  readonly sitePolled = this.#gauge('coferment_site_last_poll_timestamp_seconds', 'When an enrolled site polled last; 0 for never.', [
    'site',
  ]);
  readonly siteSetAside = this.#gauge(
    'coferment_site_set_aside_runs',
    'Runs that do not wait for a site any more because it failed too often.',
    ['site'],
  );
  readonly siteCertificate = this.#gauge(
    'coferment_site_certificate_expiry_timestamp_seconds',
    'When the certificate of an enrolled site expires.',
    ['site'],
  );
  readonly ownCertificate = this.#gauge(
    'coferment_certificate_expiry_timestamp_seconds',
    "When the coordinator's own certificates expire.",
    ['certificate'],
  );
  readonly ledger = this.#gauge('coferment_ledger_entries', 'Entries of the ledger, by how far they are.', ['stage']);
  readonly ledgerSigned = this.#gauge('coferment_ledger_signed_timestamp_seconds', 'When the newest checkpoint was signed.', []);
  readonly cosignatures = this.#gauge('coferment_ledger_cosignatures', 'Cosignatures of the checkpoint that is offered, had and needed.', [
    'of',
  ]);
  readonly objects = this.#gauge('coferment_stored_objects', 'Objects in the store, by purpose.', ['purpose']);
  readonly objectBytes = this.#gauge('coferment_stored_object_bytes', 'Bytes of objects in the store, by purpose.', ['purpose']);
  readonly diskFree = this.#gauge('coferment_disk_free_bytes', 'Bytes that are free where the data folder is.', []);
  readonly diskSize = this.#gauge('coferment_disk_size_bytes', 'Bytes of the file system where the data folder is.', []);
  readonly connections = this.#gauge('coferment_database_connections', 'Connections to the database, by what they do.', ['state']);
  readonly waitingTransactions = this.#gauge('coferment_database_waiting', 'Transactions that wait for a connection.', []);
  readonly ticked = this.#gauge('coferment_reconciler_tick_timestamp_seconds', 'When all runs were last looked at.', []);
  readonly runsInStep = this.#gauge('coferment_runs_in_step', 'Runs that a step is being taken in now.', []);
  readonly health = this.#gauge('coferment_health', '1 when a check of the coordinator passes.', ['check']);
  readonly ready = this.#gauge('coferment_ready', '1 when a balancer should send calls here, as /readyz says.', []);

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, buckets: number[], labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] });
  }
}
