import type { NoteReceived } from '../connection/sent.recorder.js';
import type { Journal } from '../journal/journal.js';
import type { WorkWatch } from '../rounds/poll.loop.js';
import type { AgentEvent } from '../rounds/site.context.js';
import { type GaugedAgent, refreshAgentGauges } from './agent.gauges.js';
import { AgentMetrics } from './agent.metrics.js';
import { type AgentReadiness, type MonitorInput, type RunningMonitor, startMonitor } from './agent.monitor.js';

/** What one serving agent counts, and shows if it is told to. */
export class AgentMonitoring {
  readonly metrics = new AgentMetrics();
  #running: RunningMonitor | undefined;
  /** Of this process: the journal still has what the last one found. */
  #connection: { isUp: boolean; message: string } | undefined;

  readonly received: NoteReceived = (kind, bytes) => this.metrics.received.inc({ class: kind }, bytes);

  readonly watch: WorkWatch = {
    polled: (isAnswered) => {
      this.metrics.polls.inc({ result: isAnswered ? 'answered' : 'failed' });
      if (isAnswered) this.metrics.lastPoll.setToCurrentTime();
    },
    worked: (instruction, seconds, result) => this.metrics.workSeconds.observe({ instruction, result }, seconds),
  };

  told(event: AgentEvent): void {
    if (event.event === 'connected') this.#connection = { isUp: true, message: '' };
    if (event.event === 'disconnected') this.#connection = { isUp: false, message: event.message };
    if (event.event === 'trained') this.metrics.trainings.inc({ kind: event.kind });
    if (event.event === 'refused') this.metrics.refusals.inc();
  }

  /** @returns its URL. @throws AgentError 'metrics-address' */
  async serve(input: MonitorInput, agent: GaugedAgent): Promise<string> {
    this.#running = await startMonitor(
      input,
      this.metrics,
      async () => {
        this.metrics.connected.set(this.#connection?.isUp === true ? 1 : 0);
        await refreshAgentGauges(this.metrics, agent);
      },
      () => this.readiness(agent.journal),
    );
    return this.#running.url;
  }

  stop(): void {
    this.#running?.stop();
  }

  /** What keeps this site from doing its part, for people. What waits for a person's decision does not: the agent is well, and says so elsewhere. */
  readiness(journal: Journal): AgentReadiness {
    const reasons: string[] = [];
    if (this.#connection === undefined) reasons.push('The coordinator has not answered yet.');
    else if (!this.#connection.isUp) reasons.push(`The coordinator does not answer: ${this.#connection.message}`);
    const [split] = journal.evidence.undecided();
    if (split !== undefined)
      reasons.push(
        `This site signs nothing: the ledger is not the same for everybody (evidence ${split.id}). Decide: coferment-agent ledger evidence`,
      );
    return { ready: reasons.length === 0, reasons };
  }
}
