import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { rounded } from '../measure/sample.statistics.js';
import type { Cells } from '../report/text.table.js';

/** Wall clock, and the processor time of the median run: the whole process with its database. */
const spreadSchema = z.strictObject({ median: z.number(), least: z.number(), most: z.number(), cpu: z.number() });
const answerSchema = z.strictObject({
  entries: z.number(),
  firstStartMs: z.number(),
  startMs: spreadSchema,
  coldMs: spreadSchema,
  warmMs: spreadSchema,
  consistencyMs: spreadSchema,
  emptyMb: z.number(),
  servingMb: z.number(),
});

/**
 * Times in milliseconds. `startMs`: the right edge is read back; `firstStartMs` is the first of these, with nothing compiled and the database just opened.
 * `coldMs`: inclusion proofs by a ledger that has just started, no tile at hand. `warmMs`: a thousand of one that runs, at random places.
 * Memory of the whole process with its database, before the ledger is opened and after all proofs.
 */
export type ProofFigures = z.infer<typeof answerSchema>;

export async function measureProofs(
  { entries, folder }: { readonly entries: number; readonly folder: string },
  say: (line: string) => void,
): Promise<ProofFigures> {
  const place = await mkdtemp(join(folder, 'proof-bench-'));
  try {
    say(`storing a ledger of ${entries} entries`);
    await role('./fill.role.js', [place, String(entries)]);
    const figures = answerSchema.parse(JSON.parse(await role('./proof.role.js', [place])));
    say(
      `${entries} entries: an inclusion proof in ${rounded(figures.warmMs.median, 3)} ms, a start in ${rounded(figures.startMs.median, 3)} ms`,
    );
    return figures;
  } finally {
    await rm(place, { recursive: true });
  }
}

async function role(file: string, given: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', fileURLToPath(new URL(file, import.meta.url)), ...given]);
  return stdout;
}

export function proofCells(figures: readonly ProofFigures[]): Cells {
  const ms = ({ median, least, most, cpu }: ProofFigures['coldMs']) =>
    `${rounded(median, 3)} (${rounded(least, 2)}–${rounded(most, 3)}; CPU ${rounded(cpu, 2)})`;
  return [
    ['entries', 'inclusion, cold, ms', 'inclusion, warm, ms', 'consistency, ms', 'start, ms', 'first start, ms', 'MB before', 'MB serving'],
    ...figures.map((figure) => [
      String(figure.entries),
      ms(figure.coldMs),
      ms(figure.warmMs),
      ms(figure.consistencyMs),
      ms(figure.startMs),
      String(rounded(figure.firstStartMs, 3)),
      String(rounded(figure.emptyMb, 3)),
      String(rounded(figure.servingMb, 3)),
    ]),
  ];
}
