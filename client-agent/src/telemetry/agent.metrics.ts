import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const WORK_SECONDS = [0.05, 0.2, 1, 5, 20, 60, 300, 1200, 3600];

/**
 * Everything that one agent counts and measures. What says something of the records of this site (rows, losses, how much was clipped) is in none of it: such numbers
 * stay on the site's own screen, and a monitoring system often reaches further than that. Labels are closed sets: kinds, lanes and classes of bytes.
 */
export class AgentMetrics {
  readonly registry = new Registry();

  readonly polls = this.#counter('coferment_agent_polls_total', 'Polls, by how they ended.', ['result']);
  readonly lastPoll = this.#gauge(
    'coferment_agent_last_poll_timestamp_seconds',
    'When the coordinator last answered a poll; 0 before the first.',
    [],
  );
  readonly trainings = this.#counter(
    'coferment_agent_trainings_total',
    'Vectors that were computed from the records of this site, by kind of sum.',
    ['kind'],
  );
  readonly workSeconds = this.#histogram(
    'coferment_agent_work_duration_seconds',
    'How long what was asked of this site took, training first of all.',
    ['instruction', 'result'],
  );
  readonly refusals = this.#counter('coferment_agent_refusals_total', 'What this site refused, each once.', []);
  readonly received = this.#counter('coferment_agent_received_bytes_total', 'Bytes that were fetched from the coordinator, by class.', [
    'class',
  ]);

  readonly connected = this.#gauge('coferment_agent_connected', '1 while the coordinator answers.', []);
  readonly sent = this.#counter(
    'coferment_agent_sent_bytes_total',
    'Bytes that have ever left this site, by class, as its journal lists them.',
    ['class'],
  );
  readonly sentObjects = this.#counter(
    'coferment_agent_sent_objects_total',
    'Messages and objects that have ever left this site, by class.',
    ['class'],
  );
  readonly work = this.#gauge('coferment_agent_work', 'What is asked of this site, by lane and by how far it is.', ['lane', 'state']);
  readonly waits = this.#gauge('coferment_agent_waits_for_people', 'Decisions that wait for a person of this site.', []);
  readonly runs = this.#gauge('coferment_agent_runs', 'Runs that this site knows, by whether they are over.', ['state']);
  readonly contributions = this.#gauge('coferment_agent_contributions', 'Contributions of this site that were counted, by kind of sum.', [
    'kind',
  ]);
  readonly receipts = this.#gauge('coferment_agent_receipts', 'Receipts for counted contributions, stored and still owed.', ['state']);
  readonly splitViews = this.#gauge('coferment_agent_split_views', 'Undecided evidence that the ledger is not the same for everybody.', []);
  readonly cosigned = this.#gauge('coferment_agent_cosigned_entries', 'Entries under the last checkpoint that this site has cosigned.', []);
  readonly certificate = this.#gauge('coferment_agent_certificate_expiry_timestamp_seconds', "When this site's certificate expires.", []);
  readonly files = this.#gauge('coferment_agent_file_bytes', 'Bytes of the journal and of the log.', ['file']);
  readonly diskFree = this.#gauge('coferment_agent_disk_free_bytes', 'Bytes that are free where the data folder is.', []);
  readonly diskSize = this.#gauge('coferment_agent_disk_size_bytes', 'Bytes of the file system where the data folder is.', []);

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, buckets: WORK_SECONDS, labelNames, registers: [this.registry] });
  }
}
