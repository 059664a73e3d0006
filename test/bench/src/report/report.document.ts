import { boundCells, primitiveCells, sumCells } from './bound.cells.js';
import { growthCells } from './growth.cells.js';
import { byteCells, machineText, memoryCells, noiseCells, phaseCells, roundCells } from './report.cells.js';
import type { BenchReport } from './report.schema.js';
import { targetCells } from './target.cells.js';
import { markdownTable } from './text.table.js';

const SECTIONS: Readonly<Record<string, (report: BenchReport) => string>> = {
  machine: machineText,
  targets: (report) => markdownTable(targetCells(report)),
  rounds: (report) => markdownTable(roundCells(report)),
  phases: (report) => markdownTable(phaseCells(report)),
  bytes: (report) => markdownTable(byteCells(report)),
  primitives: (report) => markdownTable(primitiveCells(report)),
  bounds: (report) => markdownTable(boundCells(report)),
  sum: (report) => markdownTable(sumCells(report)),
  'growth-parameters': (report) => markdownTable(growthCells(report, 'parameters')),
  'growth-sites': (report) => markdownTable(growthCells(report, 'sites')),
  memory: (report) => markdownTable(memoryCells(report)),
  noise: (report) => markdownTable(noiseCells(report)),
};

const MARKED = /(<!-- figures: ([a-z-]+) -->\n)[\s\S]*?(<!-- end of figures -->)/g;

/**
 * The document with every stretch between `<!-- figures: NAME -->` and `<!-- end of figures -->` written anew from a report; all other text stays.
 * @throws RangeError for a name that no section has, or a document with no such stretch
 */
export function documentWith(document: string, report: BenchReport): string {
  let found = 0;
  const written = document.replace(MARKED, (_, begin: string, name: string, end: string) => {
    const section = SECTIONS[name];
    if (section === undefined) throw new RangeError(`There are no figures called "${name}". Known: ${Object.keys(SECTIONS).join(', ')}.`);
    found++;
    return `${begin}${section(report)}\n${end}`;
  });
  if (found === 0) throw new RangeError('The document has no stretch between <!-- figures: NAME --> and <!-- end of figures -->.');
  return written;
}
