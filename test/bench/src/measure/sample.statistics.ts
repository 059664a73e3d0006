/** One run of one piece of work: wall clock, and processor time of the whole process with its threads. */
export interface Sample {
  ms: number;
  cpuMs: number;
}

/** Several runs of one piece of work. The median is the figure; least, most and spread say how quiet the machine was. */
export interface Figure {
  medianMs: number;
  minMs: number;
  maxMs: number;
  /** (max − min) / median, in per cent. */
  spreadPercent: number;
  medianCpuMs: number;
  runs: number;
}

/** Times one run. `work` is called once; nothing is subtracted. */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ sample: Sample; value: T }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const value = await work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { sample: { ms, cpuMs: (user + system) / 1000 }, value };
}

/** Adds up the time of work that is done in turns, by name. */
export class TurnClock<Name extends string> {
  readonly #spent = new Map<Name, Sample>();

  time<T>(name: Name, work: () => T): T {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const value = work();
    const spent = this.spent(name);
    const { user, system } = process.cpuUsage(cpu);
    this.#spent.set(name, { ms: spent.ms + performance.now() - start, cpuMs: spent.cpuMs + (user + system) / 1000 });
    return value;
  }

  spent(name: Name): Sample {
    return this.#spent.get(name) ?? { ms: 0, cpuMs: 0 };
  }
}

/** @throws RangeError for no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted.length % 2 === 1 ? upper : sorted[middle - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('There is no median of no values.');
  return (lower + upper) / 2;
}

export function figureOf(samples: readonly Sample[]): Figure {
  const times = samples.map(({ ms }) => ms);
  const [medianMs, minMs, maxMs] = [median(times), Math.min(...times), Math.max(...times)];
  return {
    medianMs: rounded(medianMs),
    minMs: rounded(minMs),
    maxMs: rounded(maxMs),
    spreadPercent: medianMs === 0 ? 0 : rounded((100 * (maxMs - minMs)) / medianMs, 3),
    medianCpuMs: rounded(median(samples.map(({ cpuMs }) => cpuMs))),
    runs: samples.length,
  };
}

/** More digits than a figure of this kind can carry only hide what changed between two reports. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}
