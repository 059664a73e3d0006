import type { GetLedgerStatusResponse, RoundStatus, RunStatus } from '@coferment/proto';
import { bar, columnsOf, cutTo, wrapTo } from './line.width.js';
import { type LiveStage, liveWork } from './live.sum.js';

/** What the live view of a run is made from. */
export interface LiveState {
  run: RunStatus;
  ledger: GetLedgerStatusResponse | undefined;
  /** Last events, newest last, as `coferment watch --lines` shows them. */
  events: readonly string[];
  /** Why the coordinator does not answer at the moment; empty while it does. */
  problem: string;
  nowMs: number;
}

export interface Screen {
  columns: number;
  rows: number;
}

/** The few styles of the view; picocolors has them all. */
export type Styles = Record<'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan', (text: string) => string>;

const LABEL = 12;
const MOST_ROUNDS = 5;
const MOST_EVENTS = 5;
const WIDEST_BAR = 30;

/** One line or a few: what is cut first when the screen is too small has the highest rank. */
interface Part {
  rank: number;
  lines: string[];
}

/** The whole view as lines, none wider than the screen and not more than it has rows. Nothing of it is read from anywhere but the state. */
export function liveView(state: LiveState, screen: Screen, styles: Styles): string[] {
  const view = new LiveLines(state, Math.max(20, screen.columns), styles);
  const parts = view.parts();
  const most = Math.max(5, screen.rows - 1);
  for (const rank of [4, 3, 2, 1]) {
    for (const part of parts.filter((candidate) => candidate.rank === rank).toReversed()) {
      const over = parts.reduce((sum, { lines }) => sum + lines.length, 0) - most;
      if (over <= 0) break;
      part.lines = part.lines.slice(0, Math.max(0, part.lines.length - over));
    }
  }
  return parts.flatMap(({ lines }) => lines).slice(0, most);
}

class LiveLines {
  constructor(
    private readonly state: LiveState,
    private readonly columns: number,
    private readonly styles: Styles,
  ) {}

  parts(): Part[] {
    const { run, events } = this.state;
    const done = run.rounds.filter(({ state }) => state === 'closed' || state === 'abandoned').toReversed();
    return [
      { rank: 0, lines: this.#header() },
      { rank: 1, lines: this.#problem() },
      ...liveWork(run).map(({ title, stages }) => ({
        rank: 1,
        lines: [this.styles.bold(cutTo(title, this.columns)), ...stages.map((stage) => this.#stage(stage))],
      })),
      { rank: 0, lines: this.#waits() },
      { rank: 2, lines: this.#people() },
      { rank: 3, lines: this.#ledger() },
      { rank: 3, lines: done.slice(0, MOST_ROUNDS).flatMap((round) => this.#round(round)) },
      { rank: 4, lines: events.slice(-MOST_EVENTS).map((text) => this.styles.dim(cutTo(text, this.columns))) },
    ];
  }

  #header(): string[] {
    const { run } = this.state;
    const { bold } = this.styles;
    const rest = `  "${run.planName}", ${run.ordinal}. run, key epoch ${run.epoch}`;
    const head = cutTo(run.run, this.columns - columnsOf(run.state) - 2);
    const left = this.columns - columnsOf(head) - 2 - columnsOf(run.state);
    const lines = [`${bold(head)}  ${this.#coloured(run.state)}${left > 12 ? cutTo(rest, left) : ''}`];
    const { roundsClosed, roundsPlanned } = run;
    lines.push(this.#stage({ label: 'rounds', done: roundsClosed, of: roundsPlanned, text: `${roundsClosed} of ${roundsPlanned}` }));
    return lines;
  }

  #coloured(state: string): string {
    const { green, red, yellow, cyan } = this.styles;
    if (state === 'completed') return green(state);
    if (state === 'running') return cyan(state);
    return state === 'aborted' || state === 'failed' || state === 'stuck' ? red(state) : yellow(state);
  }

  #problem(): string[] {
    const { problem } = this.state;
    return problem === '' ? [] : this.#field('no answer', problem, this.styles.red, 2);
  }

  #stage({ label, done, of, text }: LiveStage): string {
    const width = Math.min(WIDEST_BAR, this.columns - LABEL - columnsOf(text) - 2);
    // On a narrow screen the numbers stay and the bar goes.
    const shown = width < 4 ? '' : `${this.styles.cyan(bar(done, of, width))}  `;
    return `${cutTo(label, LABEL - 1).padEnd(LABEL)}${shown}${cutTo(text, this.columns - LABEL)}`;
  }

  #waits(): string[] {
    const { run, nowMs } = this.state;
    const { yellow, red } = this.styles;
    const lines: string[] = [];
    if (run.pausedMs > 0) lines.push(...this.#field('paused', `for ${ago(nowMs - run.pausedMs)}`, yellow, 1));
    if (run.startAtMs > nowMs)
      lines.push(...this.#field('starts', `in ${ago(run.startAtMs - nowMs)}, at ${clock(run.startAtMs)}`, yellow, 1));
    if (run.waitingFor.length > 0) {
      const until = run.deadlineMs > 0 ? `${countdown(run.deadlineMs, nowMs)}: ` : '';
      lines.push(...this.#field('waits for', `${until}${run.waitingFor.join(', ')}`, yellow, 2));
    }
    if (run.cause !== '') lines.push(...this.#field('cause', run.cause, red, 3));
    if (run.whatToDo !== '') lines.push(...this.#field('what to do', run.whatToDo, undefined, 3));
    return lines;
  }

  #people(): string[] {
    const { run } = this.state;
    const { yellow } = this.styles;
    const lines = run.setAside.flatMap(({ site, failures, reasons }) =>
      this.#field('set aside', `${site}, after ${failures} failures${reasons[0] === undefined ? '' : `: ${reasons[0]}`}`, yellow, 1),
    );
    if (run.newSet !== undefined) {
      const { before, after, approved, approvers } = run.newSet;
      const missing = before.filter((site) => !after.includes(site)).join(', ');
      lines.push(
        ...this.#field(
          'new set',
          `without ${missing}; approved by ${approved.length} of ${approvers.length}: ${approved.join(', ')}`,
          yellow,
          2,
        ),
      );
    }
    if (run.leftOut.length > 0) lines.push(...this.#field('left out', run.leftOut.join(', '), undefined, 1));
    if (run.notApproved.length > 0) lines.push(...this.#field('no approval', run.notApproved.join(', '), undefined, 1));
    return lines;
  }

  #ledger(): string[] {
    const { ledger } = this.state;
    if (ledger === undefined) return [];
    const witnesses = ledger.quorum === 0 ? '' : `; newest checkpoint cosigned by ${ledger.cosigned}, ${ledger.quorum} needed`;
    return this.#field('ledger', `${ledger.size} entries${witnesses}`, undefined, 1);
  }

  #round(round: RoundStatus): string[] {
    const name = round.kind === 'update' ? `round ${round.round}` : round.kind;
    const counted = round.state === 'closed' ? `${round.counted.length} counted` : round.state;
    const metric = round.metric === undefined ? '' : `, rmse ${round.metric.toPrecision(5)}`;
    const excluded = round.excluded.map(({ site, reason, detail }) => `${site} ${reason}${detail === '' ? '' : ` (${detail})`}`).join(', ');
    return this.#field(name, `${counted}${metric}${excluded === '' ? '' : `; without ${excluded}`}`, undefined, 2);
  }

  #field(label: string, text: string, style: ((text: string) => string) | undefined, most: number): string[] {
    return wrapTo(text, this.columns - LABEL, most).map((line, index) => {
      const name = index === 0 ? cutTo(label, LABEL - 1) : '';
      return `${name.padEnd(LABEL)}${style === undefined ? line : style(line)}`;
    });
  }
}

/** Until when, and how long that is from now. */
function countdown(deadlineMs: number, nowMs: number): string {
  const leftMs = deadlineMs - nowMs;
  return leftMs <= 0 ? `since ${clock(deadlineMs)} no longer` : `${ago(leftMs)} more, until ${clock(deadlineMs)}`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** The two largest units: a countdown that shows seconds for days is only restless. */
function ago(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const largest = UNITS.findIndex(([, size]) => seconds >= size);
  if (largest < 0) return '0 s';
  let left = seconds;
  const parts = UNITS.slice(largest, largest + 2).map(([unit, size]) => {
    const whole = Math.floor(left / size);
    left %= size;
    return `${whole} ${unit}`;
  });
  return parts.filter((part) => !part.startsWith('0 ')).join(' ');
}

function clock(ms: number): string {
  return `${new Date(ms).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}
