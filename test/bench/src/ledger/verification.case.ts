import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { makeLedger } from './ledger.maker.js';

const answerSchema = z.strictObject({
  verdict: z.string(),
  entries: z.number(),
  seconds: z.number(),
  cpuSeconds: z.number(),
  peakMb: z.number(),
});

export interface VerificationFigures {
  readonly entries: number;
  /** Threads that check signatures: 1 is the main thread alone. */
  readonly threads: number;
  readonly seconds: number;
  /** Of all threads and of starting the process: what the check costs on a machine that does other things as well. */
  readonly cpuSeconds: number;
  /** Of the whole process, with all threads. */
  readonly peakMb: number;
}

const THREADS = [1, 2];

/** The whole check of an exported ledger, every signature, from files to report. */
export async function measureVerification(
  { entries, folder }: { readonly entries: number; readonly folder: string },
  say: (line: string) => void,
): Promise<VerificationFigures[]> {
  const place = await mkdtemp(join(folder, 'ledger-bench-'));
  try {
    say(`making a ledger of ${entries} entries`);
    const { vkey } = makeLedger(place, entries, (made) => {
      if (made % 51_200 === 0) say(`made ${made} of ${entries} entries`);
    });
    const figures: VerificationFigures[] = [];
    for (const threads of THREADS) {
      const role = fileURLToPath(new URL('./verification.role.js', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [role, place, vkey, String(threads)]);
      const { verdict, seconds, cpuSeconds, peakMb, ...answer } = answerSchema.parse(JSON.parse(stdout));
      if (verdict !== 'holds' || answer.entries !== entries) throw new Error(`the verification of ${entries} entries came to "${verdict}"`);
      figures.push({ entries, threads, seconds, cpuSeconds, peakMb });
      say(
        `${entries} entries on ${threads} thread(s): ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor), ${peakMb.toFixed(0)} MB`,
      );
    }
    return figures;
  } finally {
    await rm(place, { recursive: true });
  }
}
