import pc from 'picocolors';
import type { RoundView } from '../run/run.view.js';
import { exclusionText, roundBar, roundName, stageText } from './round.bar.js';
import type { Screen } from './screen.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

export interface DisplaySetting {
  readonly colour: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a person watches: phases, a bar for each round, who was counted and who was not and why. */
export class LiveDisplay {
  private readonly colours: ReturnType<typeof pc.createColors>;
  private readonly startedMs: number;
  private readonly siteActs = new Map<string, string>();
  private readonly timer: NodeJS.Timeout;
  private phaseTitle: string | undefined;
  private phaseStartedMs = 0;
  private doing = '';
  private round: RoundView | undefined;
  private planned = 0;
  private frame = 0;

  constructor(
    private readonly screen: Screen,
    private readonly setting: DisplaySetting,
  ) {
    this.colours = pc.createColors(setting.colour);
    this.startedMs = setting.now();
    this.timer = setInterval(() => {
      this.frame++;
      this.redraw();
    }, FRAME_MS);
    this.timer.unref();
  }

  /** Begins a phase; the one before it is done. */
  phase(title: string): void {
    this.endPhase();
    this.phaseTitle = title;
    this.phaseStartedMs = this.setting.now();
    this.doing = '';
    if (!this.screen.interactive) this.screen.line(`${this.clock()} ${title}`);
    this.redraw();
  }

  /** A fact that stays on the screen. */
  note(text: string): void {
    this.screen.line(`${this.margin()}${this.colours.dim(text)}`);
  }

  warn(text: string): void {
    this.screen.line(`${this.margin()}${this.colours.yellow(text)}`);
  }

  /** What goes on at this moment, within the phase. */
  activity(text: string): void {
    this.doing = text;
    this.redraw();
  }

  siteAct(site: string, act: string): void {
    this.siteActs.set(site, act);
    this.redraw();
  }

  roundMoved(round: RoundView, planned: number): void {
    this.round = round;
    this.planned = planned;
    this.redraw();
  }

  roundClosed(round: RoundView, planned: number, sites: number): void {
    this.round = undefined;
    const { green, yellow, bold, dim } = this.colours;
    const seconds = dim(`${((round.closedMs - round.openedMs) / 1000).toFixed(1)} s`);
    const bar = `${this.margin()}${roundName(round, planned).padEnd(16)} ${green(roundBar('closed'))}`;
    if (round.kind === 'confirm') {
      this.screen.line(`${bar} opens as it should  ${seconds}`);
      return;
    }
    const share = `${round.counted.length} of ${sites} sites`;
    const counted = round.counted.length === sites ? green(share) : yellow(share);
    const metric =
      round.metric === undefined || round.metric === null
        ? ''
        : `  error of ${round.kind === 'evaluate' ? 'the final model' : 'the model before it'} ${bold(round.metric.toPrecision(4))}`;
    const attempt = round.attempt > 1 ? yellow(`  attempt ${round.attempt}`) : '';
    this.screen.line(`${bar} ${counted}${metric}${attempt}  ${seconds}`);
    for (const text of exclusionText(round)) this.screen.line(`${this.margin()}  ${yellow(`not counted: ${text}`)}`);
  }

  /** Text that stays as it is, such as a table. */
  print(text: string): void {
    this.endPhase();
    this.screen.line(text);
  }

  close(): void {
    this.endPhase();
    clearInterval(this.timer);
    this.screen.close();
  }

  private endPhase(): void {
    if (this.phaseTitle === undefined) return;
    const seconds = ((this.setting.now() - this.phaseStartedMs) / 1000).toFixed(1);
    if (this.screen.interactive) this.screen.line(`${this.colours.green('✓')} ${this.phaseTitle} ${this.colours.dim(`${seconds} s`)}`);
    this.phaseTitle = undefined;
    this.round = undefined;
    this.siteActs.clear();
    this.screen.live([]);
  }

  private redraw(): void {
    if (this.phaseTitle === undefined) return;
    const seconds = Math.floor((this.setting.now() - this.phaseStartedMs) / 1000);
    const head = this.screen.interactive
      ? `${this.colours.cyan(FRAMES[this.frame % FRAMES.length] ?? '')} ${this.phaseTitle}`
      : `${this.clock()}   … ${this.phaseTitle}`;
    const doing = this.doing === '' ? '' : `: ${this.doing}`;
    const lines = [`${head}${doing} ${this.colours.dim(`(${seconds} s)`)}`];
    if (this.round !== undefined) {
      const { round } = this;
      lines.push(
        `${this.indent()}${roundName(round, this.planned).padEnd(16)} ${this.colours.cyan(roundBar(round.state))} ${stageText(round.state)}`,
      );
    }
    if (this.siteActs.size > 0 && this.screen.interactive) {
      lines.push(this.indent() + [...this.siteActs].map(([site, act]) => `${site} ${this.colours.dim(act)}`).join('  '));
    }
    this.screen.live(lines);
  }

  private margin(): string {
    return this.screen.interactive ? '  ' : `${this.clock()}   `;
  }

  private indent(): string {
    return this.screen.interactive ? '  ' : '';
  }

  private clock(): string {
    const seconds = (this.setting.now() - this.startedMs) / 1000;
    return `[${seconds.toFixed(1).padStart(6)} s]`;
  }
}
