import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { rounded } from '../measure/sample.statistics.js';
import type { Cells } from '../report/text.table.js';

const answerSchema = z.strictObject({ median: z.number(), least: z.number(), most: z.number(), cpuMicroseconds: z.number() });

export interface AppendFigures {
  readonly actsATransaction: number;
  readonly transactions: number;
  /** Entries a second on the embedded database, signature checked, committed, and taken into the tree: the median transaction, the slowest, the fastest. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Processor time of the median transaction for one entry. */
  readonly cpuMicroseconds: number;
}

const CASES = [
  { actsATransaction: 1, transactions: 500 },
  { actsATransaction: 10, transactions: 200 },
  { actsATransaction: 100, transactions: 50 },
  { actsATransaction: 1000, transactions: 10 },
];

export async function measureAppend({ folder }: { readonly folder: string }, say: (line: string) => void): Promise<AppendFigures[]> {
  const figures: AppendFigures[] = [];
  for (const { actsATransaction, transactions } of CASES) {
    const place = await mkdtemp(join(folder, 'append-bench-'));
    try {
      const role = fileURLToPath(new URL('./append.role.js', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [role, place, String(actsATransaction), String(transactions)]);
      figures.push({ actsATransaction, transactions, ...answerSchema.parse(JSON.parse(stdout)) });
      say(`${actsATransaction} act(s) a transaction: ${rounded(figures.at(-1)!.median)} entries/s`);
    } finally {
      await rm(place, { recursive: true });
    }
  }
  return figures;
}

export function appendCells(figures: readonly AppendFigures[]): Cells {
  return [
    ['acts a transaction', 'transactions', 'entries/s, median', 'least', 'most', 'CPU µs/entry'],
    ...figures.map(({ actsATransaction, transactions, median, least, most, cpuMicroseconds }) =>
      [actsATransaction, transactions, ...[median, least, most, cpuMicroseconds].map((value) => rounded(value, 3))].map(String),
    ),
  ];
}
