import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { emptyPart, isGood, mergeParts, readParts, textOf, writePart } from '../faults/fault.report.js';

const folder = mkdtempSync(join(tmpdir(), 'fault-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const coordinator = {
  ...emptyPart('matrix-coordinator'),
  points: { planned: ['round training stall', 'round ready stall'], covered: ['round ready stall'] },
  recoverySeconds: [3, 1],
};
const schedule = { ...emptyPart('schedule-7'), seeds: [7], violations: ['sum 4 was counted twice'], recoverySeconds: [2, 10] };

describe('the report of the fault tests', () => {
  it('merges parts: points are united, violations keep the part that saw them', () => {
    expect(mergeParts([coordinator, schedule])).toEqual({
      points: { total: 2, covered: 1, uncovered: ['round training stall'] },
      schedules: 1,
      seeds: [7],
      violations: ['schedule-7: sum 4 was counted twice'],
      recoverySeconds: { stops: 4, median: 2.5, worst: 10 },
      parts: ['matrix-coordinator', 'schedule-7'],
    });
  });

  it('counts a point as covered that another part has reached', () => {
    const other = { ...emptyPart('matrix-agent'), points: { planned: [], covered: ['round training stall'] } };
    expect(mergeParts([coordinator, other]).points).toEqual({ total: 2, covered: 2, uncovered: [] });
  });

  it('is good only when every point was reached and nothing was violated', () => {
    expect(isGood(mergeParts([emptyPart('none')]))).toBe(true);
    expect(isGood(mergeParts([coordinator]))).toBe(false);
    expect(isGood(mergeParts([schedule]))).toBe(false);
  });

  it('finds that the same plan over the same sites came to two models', () => {
    const of = (part: string, model: string) => ({ ...emptyPart(part), models: [{ history: 'plan p over alder, birch', model }] });
    expect(mergeParts([of('one', 'm1'), of('two', 'm1')]).violations).toEqual([]);
    expect(mergeParts([of('one', 'm1'), of('two', 'm2')]).violations).toEqual(['plan p over alder, birch came to several models: m1, m2']);
  });

  it('is not made of nothing, nor of two parts with one name', () => {
    expect(() => mergeParts([])).toThrow(/nothing is known/);
    expect(() => mergeParts([schedule, schedule])).toThrow(/"schedule-7"/);
  });

  it('is written to a folder and read back, and a file that is no part is refused by name', () => {
    writePart(coordinator, folder);
    expect(readParts(folder)).toEqual([coordinator]);
    for (const bad of ['null', '[]', '{"part":"x"}', JSON.stringify({ ...schedule, seeds: ['7'] })]) {
      writeFileSync(join(folder, 'bad.json'), bad);
      expect(() => readParts(folder)).toThrow(/bad\.json is no part/);
    }
  });

  it('says in words what was not reached and what did not hold', () => {
    const text = textOf(mergeParts([coordinator, schedule]));
    expect(text).toContain('1 of 2 points');
    expect(text).toContain('not reached: round training stall');
    expect(text).toContain('schedule-7: sum 4 was counted twice');
    expect(text).toContain('median 2.50 s, worst 10.00 s');
  });
});
