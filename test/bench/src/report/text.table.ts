/** Rows of cells, the first of them the heading. Columns of numbers stand right, others left. */
export type Cells = readonly (readonly string[])[];

/** As aligned text for a terminal. */
export function textTable(cells: Cells): string {
  const widths = columnWidths(cells);
  const right = cells[0]!.map((_, column) => isNumeric(cells, column));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n');
}

/** As a Markdown table. */
export function markdownTable(cells: Cells): string {
  const rule = cells[0]!.map((_, column) => (isNumeric(cells, column) ? '---:' : '---'));
  return [cells[0]!, rule, ...cells.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function columnWidths(cells: Cells): number[] {
  return cells[0]!.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
}

const isNumeric = (cells: Cells, column: number): boolean => cells.slice(1).every((row) => /^[\d–]/.test(row[column] ?? ''));
