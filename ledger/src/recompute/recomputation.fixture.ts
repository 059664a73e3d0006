import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { policyOfLogKey } from '../policy/index.js';
import { LOG_KEY } from '../verify/sample-ledger.fixture.js';
import { recomputeExport, type RecomputationReport, type SumChoice } from './index.js';

export const round1: SumChoice = { of: 'round', round: 1 };

export const problems = (report: RecomputationReport) =>
  report.sums.flatMap(({ problems: found }) => found.map(({ where, problem }) => `${where}: ${problem}`));

/** One bit in the middle. */
export function flipped(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[changed.length >> 1]! ^= 1;
  return changed;
}

type Files = ReadonlyMap<string, Uint8Array>;

/** Exported ledgers on disk, each written once. */
export class LedgerFolders {
  readonly #scratch = mkdtempSync(join(tmpdir(), 'recompute-'));
  readonly #folders = new Map<Files, string>();

  of(files: Files): string {
    const known = this.#folders.get(files);
    if (known !== undefined) return known;
    const folder = join(this.#scratch, `${this.#folders.size}`);
    this.#folders.set(files, folder);
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    return folder;
  }

  /** Recomputes, under the log's key, with some files changed (undefined: removed), and puts them back. */
  async recompute(
    { files }: { files: Files },
    choice: SumChoice,
    changes: Readonly<Record<string, Uint8Array | undefined>> = {},
  ): Promise<RecomputationReport> {
    const folder = this.of(files);
    for (const [path, bytes] of Object.entries(changes)) {
      if (bytes === undefined) rmSync(join(folder, path));
      else writeFileSync(join(folder, path), bytes);
    }
    try {
      return await recomputeExport(folder, { policy: policyOfLogKey(LOG_KEY), choice });
    } finally {
      for (const path of Object.keys(changes)) writeFileSync(join(folder, path), files.get(path)!);
    }
  }

  remove(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}
