import { describe, expect, it } from 'vitest';
import { type SplitView, checkSplitView, parseSplitView, splitViewText } from './index.js';
import { ForkableLog, LOG_KEY, LOG_SEED, ORIGIN } from './forked-log.fixture.js';

const log = ForkableLog.counting(12);
const half = (of: ForkableLog, index: number) => ({
  leafHash: of.tree.subtreeHash(BigInt(index), BigInt(index + 1)),
  proof: of.tree.inclusionProof(BigInt(index)),
});
const fork = log.forked(7, 9);
const proved: SplitView = {
  origin: ORIGIN,
  first: log.checkpoint(),
  second: fork.checkpoint(),
  difference: { index: 7n, first: half(log, 7), second: half(fork, 7) },
};
const verdict = (evidence: SplitView) => checkSplitView(evidence, [LOG_KEY]).verdict;

describe('evidence of a split view', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', 'two notes'],
    ['another format', splitViewText(proved).replace('/1"', '/2"')],
    ['a field too many', splitViewText(proved).replace('{', '{"more":1,')],
    ['a position that is none', splitViewText(proved).replace('"index": "7"', '"index": "-7"')],
    ['a hash that is none', splitViewText(proved).replace(/"leafHash": "..../, '"leafHash": "')],
    ['more than anyone needs', splitViewText({ ...proved, first: 'a'.repeat(1_000_000) })],
  ])('is refused as %s', (_, text) => {
    expect(() => parseSplitView(text)).toThrow('this is not evidence');
  });

  it('is the same after a file', () => {
    expect(parseSplitView(splitViewText(proved))).toEqual(proved);
    const { difference: _, ...pair } = proved;
    expect(parseSplitView(splitViewText(pair))).toEqual(pair);
  });

  it('is proof with two roots of one size, or two entries in one place', () => {
    expect(checkSplitView(proved, [LOG_KEY])).toMatchObject({
      verdict: 'proved',
      reason: expect.stringContaining('entries number 7'),
      sizes: [12n, 9n],
    });
    expect(verdict({ origin: ORIGIN, first: log.checkpoint(), second: log.forked(11, 12).checkpoint() })).toBe('proved');
  });

  it('is none when both halves agree, or when it shows nothing', () => {
    const { difference, ...pair } = proved;
    expect(verdict({ ...pair, second: pair.first })).toBe('agrees');
    expect(verdict(pair)).toBe('open');
    expect(verdict({ ...pair, second: log.checkpoint(9) })).toBe('open');
    expect(verdict({ ...proved, difference: { ...difference!, second: difference!.first } })).toBe('open');
    expect(verdict({ ...proved, difference: { index: 6n, first: half(log, 6), second: half(fork, 6) } })).toBe('open');
    expect(verdict({ ...proved, difference: { ...difference!, index: 6n } })).toBe('open');
  });

  it('needs both halves signed by the log that it is about', () => {
    expect(() => verdict({ ...proved, second: fork.checkpoint(9, new Uint8Array(32).fill(2)) })).toThrow('signed by');
    expect(() => verdict({ ...proved, origin: 'ledger.example/other' })).toThrow('holds a checkpoint of');
    expect(() => verdict({ ...proved, second: log.checkpoint(9, LOG_SEED, 'ledger.example/other') })).toThrow('signed by');
  });
});
