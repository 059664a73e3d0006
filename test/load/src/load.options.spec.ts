import { describe, expect, it } from 'vitest';
import { HELP, UsageError, readOrder } from './load.options.js';

describe('the words of npm run load', () => {
  it.each([
    ['too few agents', ['--agents', '6']],
    ['half an agent', ['--agents', '7.5']],
    ['nothing for a number', ['--rounds', '']],
    ['a share above what the plan allows', ['--drop', '0.5']],
    ['a share that is no number', ['--drop', 'ten']],
    ['an unknown option', ['--agent', '7']],
  ])('are refused: %s', (_, words) => {
    expect(() => readOrder(words, '/')).toThrow(UsageError);
  });

  it('have defaults, and take paths from where the user stands', () => {
    const order = readOrder(['--out', 'a.json'], '/here');
    expect(order).toEqual({ kind: 'measure', options: { agents: 100, rounds: 20, drop: 0.1, seed: 1, out: '/here/a.json' } });
    expect(readOrder(['--document', 'b.json'], '/here')).toEqual({
      kind: 'document',
      report: '/here/b.json',
      document: '/here/docs/performance.md',
    });
  });

  it('have a help with an example that can be run', () => {
    const example = /npm run load -- (--agents .*)/.exec(HELP)![1]!;
    expect(readOrder(example.split(' '), '/')).toMatchObject({ kind: 'measure' });
  });
});
