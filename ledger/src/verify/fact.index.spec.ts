import { describe, expect, it } from 'vitest';
import { FactIndex } from './fact.index.js';

describe('the index of facts', () => {
  it('tells who said a fact first, whoever says it again', () => {
    const facts = new FactIndex();
    expect(facts.first('a')).toBeUndefined();
    expect([facts.note('a', 0), facts.note('b', 7), facts.note('a', 9)]).toEqual([0, 7, 0]);
    expect([facts.first('a'), facts.first('b'), facts.has('c'), facts.size]).toEqual([0, 7, false, 2]);
  });

  it('keeps all of many facts apart while it grows', () => {
    const facts = new FactIndex();
    const count = 20_000;
    for (let index = 0; index < count; index++) facts.note(`fact ${index}`, index);
    expect(facts.size).toBe(count);
    for (let index = 0; index < count; index++) if (facts.first(`fact ${index}`) !== index) expect.fail(`fact ${index}`);
    for (let index = 0; index < count; index++) if (facts.has(`other ${index}`)) expect.fail(`other ${index}`);
  });
});
