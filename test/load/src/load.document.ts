import { loadCells, loadMachineText, loadPhaseCells, markdownTable } from './load.cells.js';
import type { LoadReport } from './load.schema.js';

const SECTIONS: Readonly<Record<string, (report: LoadReport) => string>> = {
  machine: loadMachineText,
  summary: (report) => markdownTable(loadCells(report)),
  phases: (report) => markdownTable(loadPhaseCells(report)),
};

/** Not those of the benchmark, which stand in the same page. */
const MARKED = /(<!-- load figures: ([a-z-]+) -->\n)[\s\S]*?(<!-- end of load figures -->)/g;

/**
 * The document with every stretch between `<!-- load figures: NAME -->` and `<!-- end of load figures -->` written anew; all other text stays.
 * @throws RangeError for a name that no section has, or a document without any
 */
export function documentWithLoad(document: string, report: LoadReport): string {
  let found = 0;
  const written = document.replace(MARKED, (_, begin: string, name: string, end: string) => {
    const section = SECTIONS[name];
    if (section === undefined)
      throw new RangeError(`There are no load figures called "${name}". Known: ${Object.keys(SECTIONS).join(', ')}.`);
    found++;
    return `${begin}${section(report)}\n${end}`;
  });
  if (found === 0)
    throw new RangeError('The document has no stretch between <!-- load figures: NAME --> and <!-- end of load figures -->.');
  return written;
}
