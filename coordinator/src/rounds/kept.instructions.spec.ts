import type { Instruction } from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { ActIndex } from '../runs/act.index.js';
import type { RunView } from '../runs/run.view.js';
import { keptInstruction, nameOfInstructions } from './kept.instructions.js';

const viewOf = (): RunView => ({ acts: new ActIndex() }) as unknown as RunView;
const dealing = (epoch: number, run = 'r'): Instruction => ({ kind: { $case: 'deal', deal: { run, epoch } } });

describe('an instruction that is kept', () => {
  it('is made once for all sites, in all views of one run, and anew for another run', () => {
    const view = viewOf();
    let made = 0;
    const ask = (of: RunView) => keptInstruction(of, 'apply 1', () => dealing(++made));
    expect(ask(view)).toBe(ask({ ...view }));
    expect(made).toBe(1);
    ask(viewOf());
    expect(made).toBe(2);
  });

  it('is forgotten when many others came, so that a long run does not keep all its certificates twice', () => {
    const view = viewOf();
    const first = keptInstruction(view, 'apply 1', () => dealing(1));
    for (let sum = 2; sum <= 40; sum++) keptInstruction(view, `apply ${sum}`, () => dealing(sum));
    expect(keptInstruction(view, 'apply 1', () => dealing(1))).not.toBe(first);
  });
});

describe('the name of what is owed', () => {
  it('is the same for the same bytes, whoever made them', () => {
    expect(nameOfInstructions([dealing(1), dealing(2)])).toBe(nameOfInstructions([dealing(1), dealing(2)]));
  });

  it('changes with any instruction, with their order, and with their number', () => {
    const names = [[], [dealing(1)], [dealing(2)], [dealing(1), dealing(2)], [dealing(2), dealing(1)], [dealing(1, 'other')]].map(
      nameOfInstructions,
    );
    expect(new Set(names).size).toBe(names.length);
  });
});
