import { describe, expect, it } from 'vitest';
import { CoordinatorError } from '../errors/index.js';
import { DEFAULT_LIMITS } from './coordinator.limits.js';
import { parseLimits, readLimits } from './limits.file.js';

describe('a file of limits', () => {
  it.each([
    ['too long', `a: ${'x'.repeat(20_000)}`, /20003 characters; at most 16384/],
    ['no YAML', 'site: [', /not readable YAML/],
    ['a bomb', 'a: &a [1]\nb: [*a, *a]', /not readable YAML/],
    ['a list', '- 1', /the file/],
    ['a word', 'none', /the file/],
    ['an unknown part', 'sites: { pollsHeld: 3 }', /Unrecognized key: "sites"/],
    ['an unknown limit', 'site: { polls: 3 }', /site: Unrecognized key: "polls"/],
    ['zero', 'site: { pollsHeld: 0 }', /site\.pollsHeld: must be at least 1/],
    ['a fraction', 'caller: { callsAtOnce: 1.5 }', /caller\.callsAtOnce: must be a whole number/],
    ['a text', "caller: { callsAtOnce: 'many' }", /caller\.callsAtOnce: must be a whole number/],
    ['infinity', 'caller: { callsAtOnce: .inf }', /caller\.callsAtOnce: must be a whole number/],
    ['more than anything', 'caller: { callsAtOnce: 100000000 }', /caller\.callsAtOnce/],
  ])('that is %s is refused, naming where', (_, text, message) => {
    expect(() => parseLimits(text)).toThrow(message);
    expect(() => parseLimits(text)).toThrow(CoordinatorError);
  });

  it('that is empty changes nothing', () => {
    expect(parseLimits('')).toEqual(DEFAULT_LIMITS);
    expect(parseLimits('# nothing yet')).toEqual(DEFAULT_LIMITS);
  });

  it('changes what it names, and nothing else', () => {
    const { site, ...rest } = parseLimits('site: { pollsHeld: 9 }');
    expect(site).toEqual({ ...DEFAULT_LIMITS.site, pollsHeld: 9 });
    expect(rest).toEqual({ ...DEFAULT_LIMITS, site: undefined });
  });

  it('that is not there is named', () => {
    expect(() => readLimits('/nowhere/limits.yaml')).toThrow(/cannot be read from \/nowhere\/limits\.yaml/);
  });
});
