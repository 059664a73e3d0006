/** Where the demo writes. `line` stays; `live` shows what is going on now and is replaced by the next. */
export interface Screen {
  readonly interactive: boolean;
  line(text: string): void;
  live(lines: readonly string[]): void;
  close(): void;
}

export interface ScreenStream {
  write(text: string): unknown;
  readonly columns?: number | undefined;
}

const UP_AND_CLEAR = '\u001B[1A\u001B[2K';
const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
// oxlint-disable-next-line no-control-regex -- colour codes begin with the control character ESC
const COLOUR_CODE = /\u001B\[[0-9;]*m/g;

/** A terminal: live lines are redrawn in place below the lines that stay. */
export class TerminalScreen implements Screen {
  readonly interactive = true;
  private drawn = 0;
  private current: readonly string[] = [];

  constructor(private readonly stream: ScreenStream) {
    stream.write(HIDE_CURSOR);
  }

  line(text: string): void {
    this.erase();
    this.stream.write(`${text}\n`);
    this.draw();
  }

  live(lines: readonly string[]): void {
    this.erase();
    this.current = lines;
    this.draw();
  }

  close(): void {
    this.live([]);
    this.stream.write(SHOW_CURSOR);
  }

  private draw(): void {
    // A wrapped line would take two rows, and erasing counts rows.
    const width = (this.stream.columns ?? 80) - 1;
    for (const line of this.current) this.stream.write(`${cut(line, width)}\n`);
    this.drawn = this.current.length;
  }

  private erase(): void {
    if (this.drawn > 0) this.stream.write(UP_AND_CLEAR.repeat(this.drawn));
    this.drawn = 0;
  }
}

/** A pipe or a file: nothing is ever taken back, and what goes on now is repeated only where it would be silent otherwise. */
export class PlainScreen implements Screen {
  readonly interactive = false;
  private lastWrite: number;
  private current: readonly string[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly stream: ScreenStream,
    private readonly silenceMs = 1800,
  ) {
    this.lastWrite = Date.now();
    this.timer = setInterval(() => this.breakSilence(), Math.min(100, silenceMs));
    this.timer.unref();
  }

  line(text: string): void {
    this.lastWrite = Date.now();
    this.stream.write(`${text}\n`);
  }

  live(lines: readonly string[]): void {
    this.current = lines;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private breakSilence(): void {
    if (Date.now() - this.lastWrite < this.silenceMs || this.current.length === 0) return;
    this.line(this.current.join('  '));
  }
}

function cut(line: string, width: number): string {
  if (line.replaceAll(COLOUR_CODE, '').length <= width) return line;
  return line.replaceAll(COLOUR_CODE, '').slice(0, Math.max(0, width));
}
