import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { documentWithLoad } from './load.document.js';
import { ruleFaults } from './load.rules.js';
import { loadReportSchema } from './load.schema.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const report = loadReportSchema.parse(JSON.parse(readFileSync(join(root, 'docs/performance-load.json'), 'utf8')));

describe('the section of a hundred sites in docs/performance.md', () => {
  it('is what the report in the repository gives, and that load kept its rules', () => {
    const document = readFileSync(join(root, 'docs/performance.md'), 'utf8');
    expect(documentWithLoad(document, report)).toBe(document);
    expect(ruleFaults(report)).toEqual([]);
  });

  it('is not written into a page that has no place for it, or another name', () => {
    expect(() => documentWithLoad('# Nothing', report)).toThrow(/no stretch/);
    expect(() => documentWithLoad('<!-- load figures: speed -->\n<!-- end of load figures -->', report)).toThrow(/called "speed"/);
  });
});
