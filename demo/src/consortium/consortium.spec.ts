import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parsePlan } from '@coferment/consortium';
import { consortiumPlan } from '../virtual/index.js';
import { readConsortiumFile } from './consortium.file.js';
import { planWithRounds } from './demo.consortium.js';
import { computeAgreement } from './out-of-band.check.js';

const folder = mkdtempSync(join(tmpdir(), 'coferment-consortium-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = (id: string) => `  - { id: ${id}, mapping: ${id}.yaml }\n`;

function consortiumFile(text: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'consortium.yaml');
  writeFileSync(file, text);
  writeFileSync(join(folder, 'plan.yaml'), consortiumPlan(3));
  return file;
}

describe('a consortium file', () => {
  it('names mappings and plan beside itself and takes records from the data folder', async () => {
    const file = consortiumFile(`schema: 1\nname: three\nplan: plan.yaml\nsites:\n${site('a')}${site('b')}${site('c')}`);
    const read = await readConsortiumFile(file, '/records');
    expect(read.sites[1]).toEqual({ id: 'b', mappingFile: join(folder, 'b.yaml'), recordsFolder: '/records' });
    expect(read.planText).toBe(consortiumPlan(3));
  });

  it.each([
    ['an unknown key', `schema: 1\nname: x\nplan: plan.yaml\nsite: []\nsites:\n${site('a')}${site('b')}${site('c')}`, /site/],
    ['too few sites', `schema: 1\nname: x\nplan: plan.yaml\nsites:\n${site('a')}`, /sites/],
    ['one site twice', `schema: 1\nname: x\nplan: plan.yaml\nsites:\n${site('a')}${site('b')}${site('a')}`, /"a" twice/],
    [
      'a plan that is not there',
      `schema: 1\nname: x\nplan: other.yaml\nsites:\n${site('a')}${site('b')}${site('c')}`,
      /other\.yaml cannot be read/,
    ],
    ['no YAML', 'schema: [', /cannot be read/],
  ])('with %s is refused', async (_, text, said) => {
    await expect(readConsortiumFile(consortiumFile(text), '/records')).rejects.toThrow(said);
  });
});

it('changes the number of rounds in the plan and nothing else', () => {
  const text = consortiumPlan(5);
  expect(planWithRounds(text, 3).plan).toEqual({ ...parsePlan(text), rounds: 3 });
  expect(planWithRounds(text, undefined).plan).toEqual(parsePlan(text));
});

describe('what sites compare out of band', () => {
  const plan = parsePlan(consortiumPlan(4));
  const keys = (ids: string[]) => new Map(ids.map((id) => [id, id.repeat(64)]));

  it('does not depend on the order in which sites were asked', () => {
    expect(computeAgreement(plan, keys(['a', 'b', 'c', 'd']))).toEqual(computeAgreement(plan, keys(['d', 'b', 'a', 'c'])));
  });

  it('changes with any identity key', () => {
    const swapped = new Map(keys(['a', 'b', 'c', 'd'])).set('c', 'e'.repeat(64));
    expect(computeAgreement(plan, swapped).fingerprint).not.toBe(computeAgreement(plan, keys(['a', 'b', 'c', 'd'])).fingerprint);
  });
});
