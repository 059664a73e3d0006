import { canonicalBytes } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import type { DataReport } from './data.report.js';

/**
 * Names what a site says of its data: SHA-256 over the RFC 8785 JSON of its report. Names of files and places in them are left out: the same records give the
 * same digest, wherever they lie and however they are split.
 */
export function dataReportDigest({ files, flags, ...rest }: DataReport): string {
  const sources = new Map<string, { rows: number; notSelected: number }>();
  for (const { source, rows, notSelected } of files) {
    const before = sources.get(source) ?? { rows: 0, notSelected: 0 };
    sources.set(source, { rows: before.rows + rows, notSelected: before.notSelected + notSelected });
  }
  return sha256Hex(
    canonicalBytes({
      ...rest,
      sources: [...sources].map(([source, counts]) => ({ source, ...counts })),
      flags: flags.map(({ file: _file, line: _line, ...flag }) => flag),
    }),
  );
}
