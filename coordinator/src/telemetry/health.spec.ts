import { describe, expect, it } from 'vitest';
import { Health } from './health.js';
import type { Log } from './log.js';

function watched() {
  const lines: string[] = [];
  const write = (message: string) => void lines.push(message);
  return { lines, health: new Health({ info: write, warn: write, error: write } as unknown as Log) };
}

const of = (health: Health) => {
  const { live, ready, state } = health.report();
  return { live, ready, state };
};

describe('the health of a coordinator', () => {
  it('is not ready before it has started and while it stops, whatever else holds', () => {
    const { health } = watched();
    expect(of(health)).toEqual({ live: true, ready: false, state: 'starting' });
    health.started();
    expect(of(health)).toEqual({ live: true, ready: true, state: 'ready' });
    health.stopping();
    health.started();
    expect(of(health)).toEqual({ live: true, ready: false, state: 'stopping' });
  });

  it('takes calls with a full disk, since it can still be read from, and none without its database', () => {
    const { health } = watched();
    health.started();
    health.failed('disk', 'no room');
    expect(of(health)).toEqual({ live: true, ready: true, state: 'degraded' });
    health.failed('database', 'no answer');
    expect(of(health)).toEqual({ live: true, ready: false, state: 'degraded' });
    expect(health.report().checks.filter(({ ok }) => !ok)).toEqual([
      { name: 'database', ok: false, detail: 'no answer' },
      { name: 'disk', ok: false, detail: 'no room' },
    ]);
    health.passed('database');
    health.passed('disk');
    expect(of(health)).toEqual({ live: true, ready: true, state: 'ready' });
  });

  it('writes one line when a fault begins and one when it ends', () => {
    const { health, lines } = watched();
    health.passed('disk');
    for (let call = 0; call < 100; call++) health.failed('disk', 'no room');
    health.passed('disk');
    health.passed('disk');
    expect(lines).toEqual(['degraded: no room', 'well again']);
  });
});
