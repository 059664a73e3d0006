import { setTimeout as sleep } from 'node:timers/promises';
import type { RunStatus, WatchRunResponse } from '@coferment/proto';
import { ask } from '../../../coordinator/src/cli/operator.client.js';
import type { ScheduleStage } from './schedule.stage.js';

const ASK_AGAIN_MS = 50;
const FINAL = ['completed', 'aborted', 'failed'];

/** The events of one run, over every restart of its coordinator: each once, in order. */
export class RunFollower {
  #last = 0;

  constructor(
    private readonly stage: Pick<ScheduleStage, 'client'>,
    private readonly run: string,
    private readonly take: (event: WatchRunResponse) => void,
  ) {}

  /** Resolves with the run when it is over, or as it is when the time is. @throws when the coordinator cannot be asked in the end */
  async toTheEnd(withinMs: number): Promise<RunStatus> {
    for (const endMs = Date.now() + withinMs; ; await sleep(ASK_AGAIN_MS)) {
      const view = await this.#follow(endMs).catch(() => undefined);
      if (view !== undefined && FINAL.includes(view.state)) return view;
      if (Date.now() > endMs) return view ?? this.#view();
    }
  }

  async #follow(endMs: number): Promise<RunStatus | undefined> {
    const { client } = this.stage;
    if (client === undefined) return undefined;
    const stream = client.operator.watchRun({ run: this.run, after: this.#last }, { deadline: endMs });
    for await (const event of stream as AsyncIterable<WatchRunResponse>) {
      if (event.sequence <= this.#last) continue;
      this.#last = event.sequence;
      this.take(event);
    }
    return this.#view();
  }

  async #view(): Promise<RunStatus> {
    const { client } = this.stage;
    if (client === undefined) throw new Error('The coordinator is not there.');
    const { run } = await ask(client.operator.getRun.bind(client.operator), { run: this.run });
    return run!;
  }
}
