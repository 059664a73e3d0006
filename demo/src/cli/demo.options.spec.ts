import { afterEach, describe, expect, it, vi } from 'vitest';
import { readOptions } from './demo.options.js';

const NOW = new Date('2026-03-01T12:30:05Z');
const read = (...argv: string[]) => readOptions(argv, NOW, '/project');

afterEach(() => vi.restoreAllMocks());

describe('the command line of the demo', () => {
  it('has a default for everything', () => {
    expect(read()).toEqual({
      out: '/project/demo-out/2026-03-01T12-30-05',
      rounds: 10,
      sites: 5,
      seed: 1,
      consortium: undefined,
      fault: 'none',
      json: false,
    });
  });

  it('leaves the number of rounds to the plan of a consortium file', () => {
    expect(read('--consortium', 'a/c.yaml', '--data', '../data')).toMatchObject({
      rounds: undefined,
      consortium: { file: '/project/a/c.yaml', data: '/data' },
    });
  });

  it.each([
    [['--sites', '2'], 'from 3 to 12'],
    [['--sites', '13'], 'from 3 to 12'],
    [['--rounds', '0'], 'from 1 to 1000'],
    [['--rounds', '2.5'], 'whole number'],
    [['--fault', 'fire'], 'drop-site'],
    [['--consortium', 'c.yaml'], '--consortium needs --data'],
    [['--data', 'd'], '--data goes with --consortium'],
    [['--consortium', 'c.yaml', '--data', 'd', '--sites', '4'], '--sites goes with virtual sites'],
    [['more'], 'too many arguments'],
  ])('refuses %j with exit code 2', (argv, said) => {
    let printed = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    expect(() => read(...argv)).toThrow('exit 2');
    expect(printed).toContain(said);
  });
});
