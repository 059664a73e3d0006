import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RoundView } from '../run/run.view.js';
import { LiveDisplay } from './live.display.js';
import { roundBar } from './round.bar.js';
import { PlainScreen, TerminalScreen } from './screen.js';

function stream() {
  const written: string[] = [];
  return { written, columns: 100, write: (text: string) => void written.push(text), text: () => written.join('') };
}

function round(fields: Partial<RoundView>): RoundView {
  const times = { openedMs: 0, closedMs: 0 };
  return {
    round: 3,
    kind: 'update',
    sum: 9,
    attempt: 1,
    state: '',
    counted: [],
    excluded: [],
    cause: '',
    uploadBytes: 0,
    ...times,
    ...fields,
  };
}

const closed = round({
  state: 'closed',
  attempt: 1,
  counted: ['a', 'b', 'c', 'd'],
  excluded: [{ site: 'e', reason: 'absent' }],
  metric: 1.23456,
  openedMs: 1000,
  closedMs: 2500,
});

describe('in a pipe', () => {
  it('writes plain lines without control characters, and names who was not counted and why', () => {
    const out = stream();
    const display = new LiveDisplay(new PlainScreen(out), { colour: false, now: () => 0 });
    display.phase('Training');
    display.roundMoved(round({ state: 'uploading' }), 10);
    display.roundClosed(closed, 10, 5);
    display.close();
    expect(out.text()).not.toContain('\u001B');
    expect(out.text()).toContain('round 3/10');
    expect(out.text()).toContain('4 of 5 sites');
    expect(out.text()).toContain('1.235');
    expect(out.text()).toContain('not counted: e absent: did not call in');
  });

  it('is never silent for long while something goes on', async () => {
    const out = stream();
    const screen = new PlainScreen(out, 60);
    screen.live(['… training (4 s)']);
    await pause(300);
    screen.close();
    expect(out.written.length).toBeGreaterThanOrEqual(2);
    expect(out.written[0]).toBe('… training (4 s)\n');
  });
});

describe('on a terminal', () => {
  it('redraws what goes on in place and leaves finished lines alone', () => {
    const out = stream();
    const screen = new TerminalScreen(out);
    screen.live(['now 1', 'bar 1']);
    screen.line('done 1');
    screen.live(['now 2']);
    screen.close();
    expect(visible(out.text())).toEqual(['done 1']);
    expect(out.text().endsWith('\u001B[?25h')).toBe(true);
  });

  it('cuts live lines to the width, because a wrapped line could not be erased', () => {
    const out = stream();
    new TerminalScreen(out).live(['x'.repeat(300)]);
    expect(out.written.at(-1)).toBe(`${'x'.repeat(99)}\n`);
  });

  it('shows a finished phase with its time', () => {
    const out = stream();
    let nowMs = 0;
    const display = new LiveDisplay(new TerminalScreen(out), { colour: false, now: () => nowMs });
    display.phase('Coordinator starts');
    nowMs = 1500;
    display.phase('Sites join');
    display.close();
    expect(visible(out.text())[0]).toBe('✓ Coordinator starts 1.5 s');
  });
});

it('fills a bar from training to closed', () => {
  expect(roundBar('training')).toBe('░'.repeat(24));
  expect(roundBar('closed')).toBe('█'.repeat(24));
  expect(roundBar('uploading')).toMatch(/^█+░+$/);
});

/** What a terminal would show in the end: `ESC[1A ESC[2K` takes a line back. */
function visible(text: string): string[] {
  const lines: string[] = [];
  const shown = text.replaceAll('\u001B[?25l', '').replaceAll('\u001B[?25h', '').replaceAll('\u001B[1A\u001B[2K', '<\n');
  for (const part of shown.split('\n')) {
    if (part === '<') lines.pop();
    else if (part !== '') lines.push(part);
  }
  return lines;
}
