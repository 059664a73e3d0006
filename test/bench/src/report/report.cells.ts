import type { BenchReport, CaseReport } from './report.schema.js';
import type { Cells } from './text.table.js';

const EXPONENTS: Readonly<Record<number, string>> = { 1e4: '10⁴', 1e5: '10⁵', 1e6: '10⁶', 1e7: '10⁷' };

/** A count of parameters. */
export const size = (parameters: number): string => EXPONENTS[parameters] ?? String(parameters);

/** Milliseconds with no more digits than mean something. */
export function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export const seconds = (value: number): string => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${ms(value)} ms`);
const times = (value: number): string => `${value.toPrecision(2)} ×`;

/** The size of a case; a star where receiving and opening were measured once. */
export const sizeOf = ({ parameters, measuredOnce }: CaseReport): string => `${size(parameters)}${measuredOnce === true ? ' *' : ''}`;

const nameOf = (of: CaseReport): string[] => [sizeOf(of), String(of.sites), `${of.keyHolders}, ${of.threshold}`];
const NAMES = ['parameters', 'sites', '(m, τ)'];

/** Whole rounds: what they take, against plaintext. */
export function roundCells({ cases }: BenchReport): Cells {
  return [
    [...NAMES, 'encrypted', 'plaintext', 'ratio', 'one upload', '100 Mbit/s', 'CPU', 'CPU ratio', 'bytes/param', 'peak − idle MB'],
    ...cases.map((of) => [
      ...nameOf(of),
      seconds(of.encryptedMs),
      seconds(of.plaintextMs),
      times(of.ratio),
      times(of.oneUpload.ratio),
      times(of.at100Mbit.ratio),
      seconds(of.totalCpuMs),
      times(of.cpuRatio),
      of.bytesPerParameter.toFixed(2),
      (of.coordinatorPeakMemoryMB - of.coordinatorIdleMemoryMB).toFixed(0),
    ]),
  ];
}

/** Milliseconds of each phase, medians. */
export function phaseCells({ cases }: BenchReport): Cells {
  const names = [
    'expand',
    'encrypt',
    'encryptInPool',
    'uploads',
    'sum',
    'share',
    'shareInPool',
    'shareUploads',
    'combine',
    'openInPool',
    'publish',
  ] as const;
  const headings = [
    'expand',
    'encrypt',
    'in pool',
    'upload, all',
    'sum',
    'share',
    'in pool',
    'shares in',
    'combine',
    'both in pool',
    'publish',
  ];
  return [
    [...NAMES, ...headings, 'plain upload, all', 'plain sum', 'plain publish'],
    ...cases.map((of) => [
      ...nameOf(of),
      ...names.map((name) => ms(of.phases[name].medianMs)),
      ms(of.plaintextPhases.uploads.medianMs),
      ms(of.plaintextPhases.sum.medianMs),
      ms(of.plaintextPhases.publish.medianMs),
    ]),
  ];
}

/** Bytes a parameter on the wire. */
export function byteCells({ cases }: BenchReport): Cells {
  return [
    [...NAMES, 'upload', 'share', 'published sum', 'plaintext upload'],
    ...cases.map((of) => [
      ...nameOf(of),
      of.bytesPerParameter.toFixed(2),
      of.shareBytesPerParameter.toFixed(2),
      of.sumBytesPerParameter.toFixed(2),
      of.plaintextBytesPerParameter.toFixed(2),
    ]),
  ];
}

/** The coordinator's resident memory in MB: idle, and above that while it receives, while it opens the sum, and while it makes and publishes a model of it. */
export function memoryCells({ cases }: BenchReport): Cells {
  return [
    [...NAMES, 'idle', 'receiving adds', 'summing adds', 'with the model'],
    ...cases.map((of) => [
      ...nameOf(of),
      of.coordinatorIdleMemoryMB.toFixed(0),
      (of.receivingPeakMemoryMB - of.coordinatorIdleMemoryMB).toFixed(0),
      (of.summingPeakMemoryMB - of.coordinatorIdleMemoryMB).toFixed(0),
      (of.openingPeakMemoryMB - of.coordinatorIdleMemoryMB).toFixed(0),
    ]),
  ];
}

/** How much the repeated figures differ: the widest and the middle spread of all phases of a case that ran more than once. */
export function noiseCells({ cases }: BenchReport): Cells {
  return [
    [...NAMES, 'runs', 'median spread %', 'widest spread %', 'of'],
    ...cases.map((of) => {
      const spreads = Object.entries(of.phases)
        .filter(([, { runs }]) => runs > 1)
        .map(([name, { spreadPercent }]) => ({ name, spreadPercent }));
      const sorted = spreads.sort((a, b) => a.spreadPercent - b.spreadPercent);
      const widest = sorted.at(-1);
      return [
        ...nameOf(of),
        String(of.runs),
        sorted[sorted.length >> 1]?.spreadPercent.toFixed(0) ?? '–',
        widest?.spreadPercent.toFixed(0) ?? '–',
        widest?.name ?? '–',
      ];
    }),
  ];
}

export function machineText({ machine, takenAt, seconds: taken, extent, unfinished }: BenchReport): string {
  const load = (values: number[]): string => values.map((value) => value.toFixed(2)).join(', ');
  const part = unfinished === undefined ? '' : ` (unfinished: ${unfinished.casesMeasured} of ${unfinished.casesAsked} cases)`;
  return (
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryMB / 1000).toFixed(0)} GB, Node ${machine.node}; extent ${extent}${part}, ` +
    `${takenAt.slice(0, 10)}, ${taken.toFixed(0)} s. Load average before: ${load(machine.loadAverageBefore)}; after: ${load(machine.loadAverageAfter)}.`
  );
}
