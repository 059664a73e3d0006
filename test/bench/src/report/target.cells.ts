import { ms, size } from './report.cells.js';
import type { BenchReport, CaseReport } from './report.schema.js';
import type { Cells } from './text.table.js';

interface Target {
  what: string;
  target: string;
  seen: string;
  /** Undefined where this extent did not measure it. */
  met: boolean | undefined;
}

const NOT_MEASURED = { seen: 'not in this extent', met: undefined };

/** The targets of the benchmark's figures. Accuracy is not one of them: that is measured on trained models, not here. */
export function targetsOf(report: BenchReport): Target[] {
  const { perBlock, sum, cases } = report;
  const block = `block of ${perBlock.values.toLocaleString('en')} values`;
  return [
    ofCase(
      { what: 'upload, m = 5, n ≤ 16', target: '≤ 3.3 bytes a parameter' },
      largest(cases, ({ sites, keyHolders }) => sites <= 16 && keyHolders === 5),
      ({ bytesPerParameter }) => ({ seen: bytesPerParameter.toFixed(2), met: bytesPerParameter <= 3.3 }),
    ),
    ofCase(
      { what: 'upload, m = 12, n = 100', target: '≤ 5.0 bytes a parameter' },
      largest(cases, ({ sites, keyHolders }) => sites === 100 && keyHolders === 12),
      ({ bytesPerParameter }) => ({ seen: bytesPerParameter.toFixed(2), met: bytesPerParameter <= 5 }),
    ),
    atMost(`site: expand, encrypt, pack, one thread, ${block}`, perBlock.encryptMs, 12),
    atMost('key holder: decryption share, one thread, a block', perBlock.shareMs, 12),
    ...[sum, sum.hundredSites].map(({ uploads, megabytesPerSecond }) => ({
      what: `coordinator: read, check digest, sum, one thread, ${uploads} uploads`,
      target: '≥ 800 MB/s of uploads',
      seen: `${megabytesPerSecond.toFixed(0)} MB/s`,
      met: megabytesPerSecond >= 800,
    })),
    atMost(`coordinator: combine and decode, all ${perBlock.keyHolders} shares checked, a block`, perBlock.combineMs, 15),
    atMost(`coordinator: combine and decode, ${perBlock.threshold} shares, nothing to check, a block`, perBlock.combineThresholdMs, 15),
    {
      what: `dealing with its proof, n = ${perBlock.sites}, m = ${perBlock.keyHolders}, a site that is a holder`,
      target: '≤ 2 s',
      seen: `${ms(perBlock.dealMsPerSite)} ms`,
      met: perBlock.dealMsPerSite <= 2000,
    },
    ...memoryOf(cases),
    ...rounds(cases),
  ];
}

function memoryOf(cases: readonly CaseReport[]): Target[] {
  const hundred = cases.find(({ sites, parameters }) => sites === 100 && parameters === 1e7);
  const row = (what: string, peakOf: (report: CaseReport) => number): Target =>
    ofCase({ what: `coordinator memory above idle, ${what}`, target: '≤ 300 MB at 100 sites × 10⁷ parameters' }, hundred, (report) => {
      const above = peakOf(report) - report.coordinatorIdleMemoryMB;
      return { seen: `${above.toFixed(0)} MB`, met: above <= 300 };
    });
  return [
    row('while summing', ({ summingPeakMemoryMB }) => summingPeakMemoryMB),
    row('whole round, with the model', ({ coordinatorPeakMemoryMB }) => coordinatorPeakMemoryMB),
  ];
}

function rounds(cases: readonly CaseReport[]): Target[] {
  const million = cases.find(({ parameters, sites, keyHolders }) => parameters === 1e6 && sites === 10 && keyHolders === 5);
  const ratio = (what: string, target: number, of: (report: CaseReport) => number): Target =>
    ofCase({ what: `encrypted against plaintext, ${what}`, target: `≤ ${target} ×` }, million, (report) => ({
      seen: `${of(report).toFixed(1)} ×`,
      met: of(report) <= target,
    }));
  return [
    ratio('critical path', 8, (report) => report.ratio),
    ratio('critical path', 4, (report) => report.ratio),
    ratio('critical path with one upload and one share in place of all', 8, (report) => report.oneUpload.ratio),
    ratio('100 Mbit/s a site (computed)', 2, (report) => report.at100Mbit.ratio),
  ];
}

function largest(cases: readonly CaseReport[], holds: (report: CaseReport) => boolean): CaseReport | undefined {
  return cases.filter(holds).sort((a, b) => b.parameters - a.parameters)[0];
}

function ofCase(
  of: { what: string; target: string },
  found: CaseReport | undefined,
  read: (report: CaseReport) => { seen: string; met: boolean },
): Target {
  if (found === undefined) return { ...of, ...NOT_MEASURED };
  const { parameters, sites, keyHolders, measuredOnce } = found;
  const once = measuredOnce === true ? ', measured once' : '';
  return { ...of, what: `${of.what} (${size(parameters)} × ${sites} sites, m = ${keyHolders}${once})`, ...read(found) };
}

function atMost(what: string, seen: number, limit: number): Target {
  return { what, target: `≤ ${limit} ms`, seen: `${ms(seen)} ms`, met: seen <= limit };
}

export function targetCells(report: BenchReport): Cells {
  return [
    ['what', 'target', 'seen', ''],
    ...targetsOf(report).map(({ what, target, seen, met }) => [what, target, seen, met === undefined ? '–' : met ? 'met' : 'missed']),
  ];
}
