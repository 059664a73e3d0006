import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type PredicateName, predicates } from './predicates.js';
import { isLedgered, isOperatorStatement, predicateType } from './statement.js';

const root = join(import.meta.dirname, '../../..');
const SCHEMAS = join(root, 'consortium/schemas');
const names = Object.keys(predicates) as PredicateName[];
const ledgered = names.filter(isLedgered);
const fileOf = (name: string) => `${name}.v1.json`;
/** JSON Schema 2020-12, for tools that do not run this code. Its name is the purpose of the signature. */
const predicateSchema = (name: PredicateName) => ({ $id: predicateType(name), title: name, ...z.toJSONSchema(predicates[name]) });
/** WRITE_SCHEMAS=1 writes the files anew; then format them. */
const isWriting = process.env['WRITE_SCHEMAS'] === '1';

describe('the schemas of the predicates', () => {
  if (isWriting)
    for (const name of ledgered) writeFileSync(join(SCHEMAS, fileOf(name)), `${JSON.stringify(predicateSchema(name), undefined, 2)}\n`);

  it('are one file for each statement that the ledger has, and no other', () => {
    expect(existsSync(SCHEMAS) ? readdirSync(SCHEMAS).toSorted() : []).toEqual(ledgered.map(fileOf).toSorted());
  });

  it.each(ledgered)('of %s is current, and lets nothing in that is not named', (name) => {
    const written = JSON.parse(readFileSync(join(SCHEMAS, fileOf(name)), 'utf8')) as Record<string, unknown>;
    expect(written).toEqual(predicateSchema(name));
    expect(written).toMatchObject({ $id: `urn:coferment:${name}:v1`, type: 'object', additionalProperties: false });
    expect(Object.keys(written['properties'] as object)).toEqual(Object.keys(predicates[name].shape));
  });
});

describe('docs/ledger-entries.md', () => {
  const rows = readFileSync(join(root, 'docs/ledger-entries.md'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, signer] = /^\| `([a-z-]+)` +\| ([a-z ]+?) +\|/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, signer }];
    });

  it('lists every statement of the ledger once, with whoever signs it', () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual(ledgered.toSorted());
    for (const { name, signer } of rows)
      expect([name, signer]).toEqual([name, isOperatorStatement(name as PredicateName) ? 'operator' : 'site']);
  });
});
