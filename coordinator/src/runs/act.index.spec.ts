import { signStatement } from '@coferment/consortium';
import { generateIdentity } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import type { ActRow } from './act.entity.js';
import { ActIndex } from './act.index.js';

const identity = generateIdentity();

function row(sequence: number, site: string): ActRow {
  const predicate = { consortium: 'test', site, plan: 'a'.repeat(64), ordinal: 1, sites: ['alpha', 'beta'] };
  const envelope = signStatement('plan-approved', predicate, identity);
  return { run: 'r1', sequence, name: 'plan-approved', site, slot: 'run', digest: String(sequence), envelope, receivedMs: 0 } as ActRow;
}

describe('the acts of a run', () => {
  it('are there once, though two readers bring them', () => {
    const acts = new ActIndex();
    const rows = [row(1, 'beta'), row(2, 'alpha')];
    acts.add(rows);
    acts.add(rows);
    acts.add([...rows, row(3, 'gamma')]);
    expect(acts.inSlot('plan-approved', 'run').map((act) => act.site)).toEqual(['alpha', 'beta', 'gamma']);
    expect(acts.lastSequence).toBe(3);
  });
});
