import { describe, expect, it } from 'vitest';
import { type DropRule, dropsOf } from './drop.choice.js';

const agents = Array.from({ length: 100 }, (_, index) => ({ site: `site-${index}`, mortal: index >= 94 }));
const holders = new Set(['site-0', 'site-1', 'site-2', 'site-3', 'site-4']);
const rule: DropRule = { agents, share: 0.1, seed: 1, holders, mostHolders: 1 };
const rounds = Array.from({ length: 200 }, (_, index) => index + 1);

describe('who drops in a round', () => {
  it('is the same for the same seed, and another for another round or seed', () => {
    expect(dropsOf(3, rule)).toEqual(dropsOf(3, rule));
    expect(dropsOf(4, rule)).not.toEqual(dropsOf(3, rule));
    expect(dropsOf(3, { ...rule, seed: 2 })).not.toEqual(dropsOf(3, rule));
  });

  it('is the share of all, each at most once', () => {
    for (const round of rounds) expect(new Set(dropsOf(round, rule).map(({ site }) => site)).size).toBe(10);
    expect(dropsOf(1, { ...rule, share: 0 })).toEqual([]);
  });

  it('leaves as many key holders as sums need', () => {
    const dropped = rounds.map((round) => dropsOf(round, rule).filter(({ site }) => holders.has(site)).length);
    expect(Math.max(...dropped)).toBe(1);
  });

  it('kills whoever has a process of its own, and nobody else; all three kinds come up', () => {
    const drops = rounds.flatMap((round) => dropsOf(round, rule));
    for (const { site, kind } of drops) expect(kind === 'killed').toBe(Number(site.slice(5)) >= 94);
    expect(new Set(drops.map(({ kind }) => kind))).toEqual(new Set(['silent', 'cut', 'killed']));
  });
});
